"""A table in memory that forgets nothing it should keep: keys, uniqueness, and real rollback.

A table writes down how to undo each change; a transaction that fails plays that back.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

import attrs

from retail_core.kernel.ids import AccountId

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


class DuplicateRow(Exception):
    """A row with this key or these unique values is there already."""


@attrs.frozen
class Journal:
    """How to undo what the open transaction did, last change last."""

    _undo: list[Callable[[], object]] = attrs.field(factory=list)

    def record(self, undo: Callable[[], object]) -> None:
        """Write down how to undo a change that is about to be made."""
        self._undo.append(undo)

    def roll_back(self) -> None:
        """Undo everything, the last change first."""
        while self._undo:
            self._undo.pop()()

    def commit(self) -> None:
        """From now on nothing can be undone."""
        self._undo.clear()


class MemoryTable(Generic[Key, Row]):
    """Frozen rows under their keys, in the order of the first insertion.

    Each function in `unique` names a value that no two rows may share; None never collides, as
    in SQL.
    """

    def __init__(self, journal: Journal, *unique: Callable[[Row], Hashable | None]) -> None:
        self._journal = journal
        self._rows: dict[Key, Row] = {}
        self._unique: list[tuple[Callable[[Row], Hashable | None], dict[Hashable, Key]]] = [
            (value, {}) for value in unique
        ]

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        """All rows; a copy, so that a loop may change the table."""
        return iter(list(self._rows.values()))

    def items(self) -> list[tuple[Key, Row]]:
        """All keys with their rows."""
        return list(self._rows.items())

    def get(self, key: Key) -> Row | None:
        """The row under this key, if any."""
        return self._rows.get(key)

    def insert(self, key: Key, row: Row) -> None:
        """Add a row. Raises `DuplicateRow` if the key or a unique value is taken."""
        if key in self._rows:
            raise DuplicateRow(key)
        self.put(key, row)

    def put(self, key: Key, row: Row) -> None:
        """Add or replace a row. Raises `DuplicateRow` if another row has a unique value of it."""
        for value, owners in self._unique:
            if owners.get(value(row), key) != key:
                raise DuplicateRow(value(row))
        before = self._rows.get(key)
        self._journal.record(lambda: self._set(key, before))
        self._set(key, row)

    def remove(self, key: Key) -> Row | None:
        """Take a row out and return it, if it was there."""
        before = self._rows.get(key)
        if before is not None:
            self._journal.record(lambda: self._set(key, before))
            self._set(key, None)
        return before

    def _set(self, key: Key, row: Row | None) -> None:
        before = self._rows.pop(key, None) if row is None else self._rows.get(key)
        for value, owners in self._unique:
            if before is not None:
                owners.pop(value(before), None)
            if row is not None and value(row) is not None:
                owners[value(row)] = key
        if row is not None:
            self._rows[key] = row


class Sequence:
    """Ids from 1; like a real sequence it takes none back at a rollback."""

    def __init__(self, first: int = 1) -> None:
        self._next = first

    def take(self) -> int:
        """The next id."""
        taken = self._next
        self._next += 1
        return taken

    def take_block(self, size: int, last: int) -> int | None:
        """The first of so many ids in a row; None if they would go beyond the last one."""
        first, after = self._next, self._next + size
        if after - 1 > last:
            return None
        self._next = after
        return first

    def jump_to(self, last: int) -> None:
        """As if all up to this one had been taken."""
        self._next = last + 1

    @property
    def taken(self) -> int:
        return self._next - 1


def sees(bound_to: AccountId | None, account: AccountId) -> bool:
    """Whether a transaction bound to an account (None: a sweep) sees the rows of `account`."""
    return bound_to is None or bound_to == account
