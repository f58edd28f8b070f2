"""What the simulator does wrong, and how it reports: values, so that a test can state them."""

import enum
from pathlib import Path
from typing import Final, Self

import attrs
import orjson

FAULT_SECONDS_DEFAULT: Final = 3600.0


class FaultName(enum.StrEnum):
    """The ways in which a call can go wrong; `accept` ones take the messages all the same."""

    OUTAGE = "outage"
    """The port refuses connections for `seconds`, beginning at once."""
    CLOSE_UNREAD = "close-unread"
    """The connection is reset when the head has come, before the body is read."""
    CLOSE = "close"
    """The request is read, nothing is taken, and the connection closes without an answer."""
    HANG = "hang"
    """The request is read, nothing is taken, and no answer comes for `seconds`."""
    STATUS = "status"
    """Nothing is taken; the answer is `status`, with `retry_after` if given."""
    ACCEPT_CLOSE = "accept-close"
    """All is taken, and the connection closes without an answer."""
    ACCEPT_HANG = "accept-hang"
    """All is taken, and no answer comes for `seconds`."""
    ACCEPT_STATUS = "accept-status"
    """All is taken, and the answer is `status` all the same."""
    MISSING_ENTRY = "missing-entry"
    """All is taken; the answer lacks the last message."""
    EXTRA_ENTRY = "extra-entry"
    """All is taken; the answer has one message more."""
    REPEATED_IDS = "repeated-ids"
    """All is taken; the answer gives all messages the same id."""
    UNREADABLE = "unreadable"
    """All is taken; the answer is 200 with a page of HTML."""
    TRUNCATED = "truncated"
    """All is taken; the answer breaks off in the middle of its body."""
    REJECT_SOME = "reject-some"
    """A `share` of the messages is not taken and has an error code in place of an id."""
    SLOW = "slow"
    """The answer comes after `seconds`, and is right."""


@attrs.frozen
class Fault:
    """One fault: hits a share `rate` of the sending calls, at most `calls_max` of them."""

    name: FaultName
    rate: float = 1.0
    calls_max: int | None = None
    status: int = 500
    retry_after: str | None = None
    seconds: float = FAULT_SECONDS_DEFAULT
    share: float = 0.5

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME[:RATE]`, where the status faults carry theirs: `accept-status-500:0.1`.

        Raises ValueError.
        """
        word, _, rate = text.partition(":")
        name, _, status = word.rpartition("-")
        if not (status.isascii() and status.isdigit()):
            name, status = word, "500"
        return cls(FaultName(name), rate=float(rate or 1), status=int(status))


@attrs.frozen
class ReportPlan:
    """How delivery reports go out; all rates are shares of the messages, drawn from the seed.

    `words` come in order, `first_delay_ms` after the acceptance and then `step_ms` apart, each
    later by up to `spread_ms`. `array_max` is the most reports in one call; 1 sends bare objects.
    Lost reports are lost for good, while a look-up still tells the truth. `reordered` messages
    hear the last word first; `contradicted` ones are also told the opposite, `unknown` ones a
    word nobody knows, `failed` ones end in `failed_word`.
    """

    words: tuple[str, ...] = ("Sent", "Delivered")
    failed_word: str = "Failure"
    unknown_word: str = "Quantum"
    first_delay_ms: int = 50
    step_ms: int = 150
    spread_ms: int = 0
    array_max: int = 250
    parallel_calls: int = 4
    attempts_max: int = 10
    failed_rate: float = 0.0
    lost_rate: float = 0.0
    doubled_rate: float = 0.0
    reordered_rate: float = 0.0
    contradicted_rate: float = 0.0
    unknown_rate: float = 0.0
    shuffled: bool = False
    classic_names: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether all messages of a call fare the same way."""
        return not (
            self.spread_ms
            or self.failed_rate
            or self.lost_rate
            or self.doubled_rate
            or self.reordered_rate
            or self.contradicted_rate
            or self.unknown_rate
        )


@attrs.frozen
class Scenario:
    """Everything about the simulator that a test may want otherwise.

    A latency is drawn from `latency_ms` for each call. An invalid message refuses its whole call
    with 400, or with `rejects_single_messages` is answered with an error code in its place.
    """

    seed: int = 1
    faults: tuple[Fault, ...] = ()
    latency_ms: tuple[float, ...] = ()
    bulk_messages_max: int = 10_000
    rejects_single_messages: bool = False
    reports: ReportPlan = ReportPlan()

    @classmethod
    def of(cls, fields: object) -> Self:
        """Read a scenario from parsed JSON with these very names. Raises ValueError."""
        if not isinstance(fields, dict):
            raise ValueError("a scenario is an object")  # noqa: TRY004 - the data is wrong
        try:
            known = dict(fields)
            known["faults"] = tuple(fault_of(each) for each in fields.get("faults", ()))
            known["latency_ms"] = tuple(fields.get("latency_ms", ()))
            plan = dict(fields.get("reports", {}))
            if "words" in plan:
                plan["words"] = tuple(plan["words"])
            known["reports"] = ReportPlan(**plan)
            return cls(**known)
        except TypeError as error:
            raise ValueError(f"not a scenario: {error}") from None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a scenario file. Raises ValueError or OSError."""
        return cls.of(orjson.loads(path.read_bytes()))


def fault_of(fields: object) -> Fault:
    """Read a fault from parsed JSON: an object, or a text as on the command line.

    Raises ValueError.
    """
    if isinstance(fields, str):
        return Fault.parse(fields)
    if not isinstance(fields, dict):
        raise ValueError("a fault is an object or a text")  # noqa: TRY004 - the data is wrong
    try:
        return Fault(**{**fields, "name": FaultName(fields.get("name", ""))})
    except TypeError as error:
        raise ValueError(f"not a fault: {error}") from None
