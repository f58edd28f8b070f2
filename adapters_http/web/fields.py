"""Words for what a field of a body may be, beside its type.

>>> from typing import Annotated
>>> import attrs
>>> from retail_core.kernel.changes import KEEP, Keep
>>> @attrs.frozen
... class RenameBody:
...     name: Annotated[str, Characters(1, 160)]
...     note: Annotated[str, Characters(0, 400)] | None | Keep = KEEP

`codec.body` holds to them, and the description of the API is written from them. A field with
KEEP as its default tells an absent key (KEEP) from null (None).
"""

from collections.abc import Mapping, Sized
from typing import NewType, Protocol, runtime_checkable

import attrs

PhoneText = NewType("PhoneText", str)
"""A phone number as somebody wrote it; the one text that may also be sent as a JSON number."""


@runtime_checkable
class Constraint(Protocol):
    """A rule about one value."""

    def check(self, value: object) -> None:
        """Raise ValueError with a text that fits behind the field's name."""
        ...


@attrs.frozen
class Characters:
    """How long a text may be, in Unicode code points."""

    at_least: int
    at_most: int

    def check(self, value: object) -> None:
        assert isinstance(value, str)
        if not self.at_least <= len(value) <= self.at_most:
            raise ValueError(_within(self.at_least, self.at_most, "characters"))


@attrs.frozen
class Items:
    """How many values an array may hold."""

    at_least: int
    at_most: int

    def check(self, value: object) -> None:
        assert isinstance(value, Sized)
        if not self.at_least <= len(value) <= self.at_most:
            raise ValueError(_within(self.at_least, self.at_most, "items"))


@attrs.frozen
class Between:
    """How large a number may be."""

    at_least: int
    at_most: int

    def check(self, value: object) -> None:
        assert isinstance(value, int | float)
        if not self.at_least <= value <= self.at_most:
            raise ValueError(f"must be from {self.at_least} to {self.at_most}")


@attrs.frozen(eq=False)
class Described:
    """What the description of the API says about a value beyond its type; nothing is checked.

    `schema` takes the place of what the type would say, where the type says too little.
    `is_required` is for a field that has a default only since its absence has a code of its own.
    """

    says: str = ""
    schema: Mapping[str, object] | None = None
    example: object = None
    is_required: bool = False


def _within(at_least: int, at_most: int, unit: str) -> str:
    if at_least == 0:
        return f"must have at most {at_most} {unit}"
    return f"must have {at_least} to {at_most} {unit}"
