"""The simulator's log: what a real gateway would have sent to phones, and the judge of our tests.

Append-only JSON lines, written before an answer leaves: a message that stands here would have
reached a phone, and one that does not stand here would not, whatever the caller was told. The
log is also the simulator's only store, so a restart on the same file knows all earlier messages
and never gives an id twice.
"""

import os
import secrets
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import attrs
import orjson

FIRST_WORD: Final = "Accepted"
WORDS_MAX: Final = 255


@attrs.frozen
class LogEntry:
    """One line: kind `accepted`, `report` or `inbound`; what a kind does not have is None.

    `at` is the time of writing; a line `accepted` also has `receivedAt`, when the head of its call
    had come. Of a report, `status` is its word and `http_status` what the
    callback answered (0: it did not).
    """

    kind: str
    at: datetime
    message_id: str | None = None
    bulk_id: str | None = None
    destination: str | None = attrs.field(default=None, repr=False)
    sender: str | None = None
    text: str | None = attrs.field(default=None, repr=False)
    reference: str | None = None
    status: str | None = None
    http_status: int | None = None


def read_log(path: Path) -> tuple[LogEntry, ...]:
    """Every entry so far, in order of writing; may be called while the simulator runs."""
    return tuple(
        LogEntry(
            kind=fields["kind"],
            at=datetime.fromisoformat(fields["at"]),
            message_id=fields.get("messageId"),
            bulk_id=fields.get("bulkId"),
            destination=fields.get("destination"),
            sender=fields.get("sender"),
            text=fields.get("text"),
            reference=fields.get("reference"),
            status=fields.get("status"),
            http_status=fields.get("httpStatus"),
        )
        for _, _, fields in _lines(path)
        if fields["kind"] != "opened"
    )


def read_accepted(path: Path) -> tuple[LogEntry, ...]:
    """Every message taken so far: what the phones would have received."""
    return tuple(entry for entry in read_log(path) if entry.kind == "accepted")


def _lines(path: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Offset, length and fields of each whole line; one torn by a kill is passed over."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                try:
                    fields = orjson.loads(line)
                except orjson.JSONDecodeError:
                    fields = None
                if isinstance(fields, dict):
                    yield offset, len(line), fields
            offset += len(line)


def now_text() -> str:
    """The present moment as the gateway writes times."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class MessageLog:
    """The open log of one simulator: appends, and finds any message again by id or number.

    Memory holds only where a message stands and its last word: 13 bytes for each.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._head = ""
        self._offsets = array("Q")
        self._lengths = array("I")
        self._states = bytearray()
        self._words = [FIRST_WORD]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the file and take up what it says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        log = cls(path, os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600))
        log._take_up()
        return log

    def _take_up(self) -> None:
        for offset, length, fields in _lines(self.path):
            if fields["kind"] == "opened":
                self._head = fields["head"]
            elif fields["kind"] == "accepted":
                self._remember(offset, length)
            elif fields["kind"] == "report":
                number = self.number_of(fields["messageId"])
                if number is not None:
                    self.set_word([number], fields["status"])
        if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
            self._write([b"\n"])
        if not self._head:
            self._head = (
                f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-4{secrets.token_hex(2)[1:]}"
            )
            self._head += f"-a{secrets.token_hex(2)[1:]}"
            self._write([_line({"kind": "opened", "at": now_text(), "head": self._head})])

    def __len__(self) -> int:
        return len(self._offsets)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def id_of(self, number: int) -> str:
        """The message id: looks like a UUID, ends in the number, starts with this log's mark."""
        return f"{self._head}-{number:012x}"

    def number_of(self, message_id: str) -> int | None:
        """The number of a message of this log; None for any other id."""
        head, _, tail = message_id.rpartition("-")
        try:
            number = int(tail, 16)
        except ValueError:
            return None
        known = head == self._head and 0 <= number < len(self._offsets)
        return number if known and self.id_of(number) == message_id else None

    def append_accepted(
        self, messages: Sequence[Mapping[str, object]], received_at: str | None = None
    ) -> range:
        """Write down messages as taken, in one write; returns their numbers.

        `received_at` is when the head of their call had come, which may be long before.
        """
        first = len(self._offsets)
        at = now_text()
        received = received_at or at
        head = self._head
        offset = self._size
        lines: list[bytes] = []
        for number, message in enumerate(messages, first):
            fields = {"at": at, "receivedAt": received, "messageId": f"{head}-{number:012x}"}
            line = _line({"kind": "accepted", **fields, **message})
            lines.append(line)
            self._remember(offset, len(line))
            offset += len(line)
        self._write(lines)
        return range(first, len(self._offsets))

    def append(self, kind: str, entries: Sequence[Mapping[str, object]]) -> None:
        """Write down reports or inbound messages."""
        at = now_text()
        self._write([_line({"kind": kind, "at": at, **entry}) for entry in entries])

    def message(self, number: int) -> dict[str, str | None]:
        """What was taken under this number, read back from the file."""
        line = os.pread(self._descriptor, self._lengths[number], self._offsets[number])
        fields: dict[str, str | None] = orjson.loads(line)
        return fields

    def word(self, number: int) -> str:
        """The delivery status that a look-up gives now."""
        return self._words[self._states[number]]

    def set_word(self, numbers: Sequence[int], word: str) -> None:
        """Change the delivery status of some messages."""
        if word not in self._words:
            if len(self._words) >= WORDS_MAX:
                return
            self._words.append(word)
        code = self._words.index(word)
        if isinstance(numbers, range) and numbers.step == 1:
            self._states[numbers.start : numbers.stop] = bytes([code]) * len(numbers)
            return
        for number in numbers:
            self._states[number] = code

    def _remember(self, offset: int, length: int) -> None:
        self._offsets.append(offset)
        self._lengths.append(length)
        self._states.append(0)

    def _write(self, lines: Sequence[bytes]) -> None:
        data = memoryview(b"".join(lines))
        while data:
            written = os.write(self._descriptor, data)
            self._size += written
            data = data[written:]


def _line(fields: Mapping[str, object]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
