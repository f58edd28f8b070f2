"""Column types that speak domain values, so that no store converts by hand."""

import enum
from datetime import UTC, datetime, time
from typing import Any, Generic, TypeVar

import cattrs
from sqlalchemy import BigInteger, DateTime, Dialect, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from retail_core.kernel.addresses.phones import PhoneNumber

Value = TypeVar("Value")
WordEnum = TypeVar("WordEnum", bound=enum.Enum)
NumberEnum = TypeVar("NumberEnum", bound=enum.IntEnum)


class PhoneDigits(TypeDecorator[PhoneNumber]):
    """A phone number, stored as the digits of its E.164 form in a bigint (8 bytes, not 20)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: PhoneNumber | None, dialect: Dialect) -> int | None:
        """Drop the plus sign."""
        return None if value is None else int(value[1:])

    def process_result_value(self, value: int | None, dialect: Dialect) -> PhoneNumber | None:
        """Put the plus sign back: no country code begins with 0, so no digit was lost."""
        return None if value is None else PhoneNumber(f"+{value}")


class EnumText(TypeDecorator[WordEnum], Generic[WordEnum]):
    """An enumeration, stored as its word; a CHECK in the migration lists the words."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[WordEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: WordEnum | None, dialect: Dialect) -> str | None:
        """Store the word."""
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordEnum | None:
        """Read the word; one that the enumeration does not know is a defect and raises."""
        return None if value is None else self.kind(value)


class EnumNumber(TypeDecorator[NumberEnum], Generic[NumberEnum]):
    """An ordered enumeration, stored as its number in a smallint."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, kind: type[NumberEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: NumberEnum | None, dialect: Dialect) -> int | None:
        """Store the number."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> NumberEnum | None:
        """Read the number; an unknown one is a defect and raises."""
        return None if value is None else self.kind(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides, with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time that does not say where it belongs."""
        if value is not None and value.tzinfo is None:
            message = "a time without a zone would be read as the server's"
            raise ValueError(message)
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Whatever zone the session has, the core sees UTC."""
        return None if value is None else value.astimezone(UTC)


_converter = cattrs.Converter()
_converter.register_unstructure_hook(time, lambda at: f"{at:%H:%M}")
_converter.register_structure_hook(time, lambda text, _: time.fromisoformat(text))


def read_json(kind: type[Value], value: object) -> Value | None:
    """The value that `JsonOf` stored, where a row comes without SQLAlchemy's help."""
    return None if value is None else _converter.structure(value, kind)


class JsonOf(TypeDecorator[Value], Generic[Value]):
    """A frozen value (or a union or tuple of such), stored as JSON by its type annotation."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:  # noqa: ANN401 - unions are not types to mypy
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> object:
        """Take the value apart."""
        return None if value is None else _converter.unstructure(value, unstructure_as=self.kind)

    def process_result_value(self, value: object, dialect: Dialect) -> Value | None:
        """Build the value again."""
        return None if value is None else _converter.structure(value, self.kind)
