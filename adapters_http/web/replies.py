"""Values on their way out: JSON as the contract writes it."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypedDict, TypeVar

import orjson

from retail_core.kernel.pages import Page

JSON: Final = "application/json; charset=utf-8"
Item = TypeVar("Item")
Shape = TypeVar("Shape")


class PageOf(TypedDict, Generic[Shape]):
    """A page of a list."""

    items: list[Shape]
    total: int
    page: int
    pageSize: int


def instant(at: datetime) -> str:
    """A time in UTC with milliseconds: `2026-11-24T01:57:11.601Z`."""
    there = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{there.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def day(at: date) -> str:
    """A date, written as midnight UTC."""
    return f"{at.isoformat()}T00:00:00.000Z"


def page(found: Page[Item], shape: Callable[[Item], Shape]) -> PageOf[Shape]:
    """A page of a list, with the values that were really used."""
    return {
        "items": [shape(item) for item in found.items],
        "total": found.total,
        "page": found.page,
        "pageSize": found.page_size,
    }


def dumps(value: object, *, indented: bool = False) -> bytes:
    """The JSON of plain values, times, dates, enumerations, decimals and frozen collections."""
    options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, _plain, options | orjson.OPT_INDENT_2 if indented else options)


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever orjson does not know
    match value:
        case datetime():
            return instant(value)
        case date():
            return day(value)
        case Decimal():
            return float(value)
        case set() | frozenset():
            return sorted(value)
        case Iterable():
            return list(value)
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")
