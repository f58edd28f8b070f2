"""People who left a store, in whatever way, and from which moment on they must not be sent to."""

import enum
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import attrs

Person = tuple[int, int]
"""An account, and the digits of a number."""


class How(enum.Enum):
    """How somebody left."""

    OWNER = "by the owner"
    LINK = "by link"
    STOP = "by text"
    ERASED = "erased"
    DELETED = "deleted"
    MOVED = "number changed"
    UNDONE = "import undone"


FOR_GOOD: Final = frozenset({How.OWNER, How.LINK, How.STOP, How.ERASED})
"""Whoever left like this stays out, whoever adds the number again."""


@attrs.define
class Departure:
    """A departure that was confirmed: `since` is when the confirmation had been received.

    Where an owner only dropped somebody, adding the number again ends it (`until`, before the
    request to add it is made).
    """

    account: int
    phone: int
    how: How
    since: datetime
    until: datetime | None = None
    was_in_a_file: bool = False
    """Whether a file with their number was just being imported."""

    def holds_at(self, moment: datetime) -> bool:
        """Whether they must be left out by who reads at this moment."""
        return self.since < moment and (self.until is None or moment < self.until)


@attrs.define
class Departures:
    """All of them, noted by several threads; each person is in the hands of one at a time."""

    all: list[Departure] = attrs.field(init=False, factory=list)
    added_again: dict[Person, datetime] = attrs.field(init=False, factory=dict)
    """When an owner last sent their number again, by whatever door, however that ended."""
    shared: set[int] = attrs.field(init=False, factory=set)
    """Numbers that several stores have."""
    texted_at: dict[int, datetime] = attrs.field(init=False, factory=dict)
    """When a number last sent a STOP."""
    _in_files: Counter[Person] = attrs.field(init=False, factory=Counter)
    _busy: set[Person] = attrs.field(init=False, factory=set)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    @contextmanager
    def hold(self, account: int, phone: int) -> Iterator[bool]:
        """True if nobody else does something with this person meanwhile."""
        person = (account, phone)
        with self._lock:
            is_free = person not in self._busy
            self._busy.add(person)
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._busy.discard(person)

    def note(self, account: int, phone: int, how: How, since: datetime | None = None) -> None:
        """It was confirmed just now, or then.

        Whom a file may bring back at any moment, or an owner has added since, has not left by
        being dropped.
        """
        departure = Departure(account, phone, how, since or moment())
        person = (account, phone)
        with self._lock:
            added = self.added_again.get(person)
            departure.was_in_a_file = self._in_files[person] > 0
            is_back = departure.was_in_a_file or (added is not None and added > departure.since)
            if how in FOR_GOOD or not is_back:
                self.all.append(departure)

    def add_again(self, account: int, phone: int) -> None:
        """An owner is about to send this number again: from now on they may be in again."""
        now = moment()
        with self._lock:
            self.added_again[account, phone] = now
            for each in self.all:
                is_theirs = (each.account, each.phone) == (account, phone)
                if is_theirs and each.how not in FOR_GOOD and each.until is None:
                    each.until = now

    def open_file(self, account: int, phones: Iterable[int]) -> None:
        """An owner is about to send a file with these numbers."""
        for phone in phones:
            with self._lock:
                self._in_files[account, phone] += 1
            self.add_again(account, phone)

    def close_file(self, account: int, phones: Iterable[int]) -> None:
        """It was read to its end: it brings nobody back any more."""
        with self._lock:
            self._in_files.subtract((account, phone) for phone in phones)

    def is_gone(self, account: int, phone: int, *hows: How) -> bool:
        """Whether somebody left in one of these ways."""
        with self._lock:
            return any(
                (each.account, each.phone) == (account, phone) and each.how in hows
                for each in self.all
            )

    def gone(self, account: int) -> list[int]:
        """The numbers of all who left this store, the latest last."""
        with self._lock:
            return list(dict.fromkeys(each.phone for each in self.all if each.account == account))


def moment() -> datetime:
    """Now, by the clock of this machine, which is the database's too."""
    return datetime.now(UTC)
