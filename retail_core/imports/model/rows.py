"""The rows of a file, and what became of them."""

from collections.abc import Sequence
from datetime import date

import attrs

from retail_core.contacts.model import Gender
from retail_core.imports.model.job import UndoCounts
from retail_core.kernel.addresses.phones import Phone, PhoneNumber
from retail_core.kernel.ids import ContactId


@attrs.frozen
class ImportedRow:
    """A row without a fault. None is an empty cell; `subscribed` is False only where it says so."""

    row: int
    phone: Phone
    email: str | None = attrs.field(default=None, repr=False)
    first_name: str | None = attrs.field(default=None, repr=False)
    last_name: str | None = attrs.field(default=None, repr=False)
    gender: Gender | None = None
    birthday: date | None = attrs.field(default=None, repr=False)
    tags: tuple[str, ...] | None = None
    subscribed: bool = True


@attrs.frozen
class RowFault:
    """One fault of one data row (counted from 1)."""

    row: int
    field: str
    code: str
    message: str
    value: str


@attrs.frozen
class MergeOutcome:
    """What a batch did; `known` are the rows that were skipped because their number was known."""

    created: int
    updated: int
    known: Sequence[int]


@attrs.frozen
class RemovedContact:
    """A contact that an undo removed; who they were is remembered by a hash of their number."""

    id: ContactId
    phone: PhoneNumber = attrs.field(repr=False)


@attrs.frozen
class UndoStep:
    """What a step of an undo did; `last` is the number it came to, None if none was left."""

    counts: UndoCounts
    removed: Sequence[RemovedContact]
    last: PhoneNumber | None = attrs.field(repr=False)
