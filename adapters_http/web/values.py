"""Values in addresses: ids, pages, times."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from adapters_http.web.context import Request
from adapters_http.web.routing import Paging
from retail_core.kernel.errors import InvalidField, NotFound
from retail_core.kernel.ids import ID_MAX
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.time.zones import day_start

INTEGER_DIGITS_MAX: Final = 30
_ID: Final = re.compile(r"-?[1-9][0-9]*")
_INTEGER: Final = re.compile(rf"[+-]?[0-9]{{1,{INTEGER_DIGITS_MAX}}}")
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


def path_id(text: str, *, name: str = "id", largest: int = ID_MAX) -> int:
    """An id of a path.

    Raises InvalidField for what cannot be an id, NotFound for what none ever is: a negative one,
    or one above `largest`.
    """
    if not _ID.fullmatch(text):
        raise InvalidField(name, "is not an id")
    if text.startswith("-") or len(text) > len(str(largest)) or int(text) > largest:
        raise NotFound
    return int(text)


def page(req: Request, page_size: int, page_size_max: int) -> PageRequest:
    """The page that `page` and `pageSize` ask for. Raises InvalidField for what is no integer.

    The row of the route says the same two numbers, or the description of the API would be wrong.
    """
    assert req.context.route is not None
    assert req.context.route.paging == Paging(page_size, page_size_max)
    return PageRequest.bounded(
        _whole(req, "page", 1), _whole(req, "pageSize", page_size), page_size_max
    )


def instant(text: str) -> datetime:
    """A date or a date-time in ISO form, in UTC; without an offset it is UTC already.

    Raises ValueError.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError("is not an ISO date-time")
    try:
        at = datetime.fromisoformat(text.replace(",", "."))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not an ISO date-time") from None


def bound(name: str, text: str | None, zone: str, *, is_end: bool) -> datetime | None:
    """The instant from which, or (`is_end`) before which, something is wanted; None: any.

    A plain date is a day in the owner's zone. A moment is compared as it is shown, so an end takes
    in all of its millisecond. Raises InvalidField.
    """
    if not text:
        return None
    try:
        moment = instant(text)
    except ValueError:
        raise InvalidField(name, "is not an ISO date or date-time") from None
    try:
        if len(text) == len("2026-11-24"):
            return day_start(date.fromisoformat(text) + timedelta(days=is_end), zone)
        return moment + timedelta(milliseconds=is_end)
    except OverflowError:
        return None  # beyond the calendar, where nothing is


def _whole(req: Request, name: str, otherwise: int) -> int:
    text = req.context.query.get(name)
    if text is None:
        return otherwise
    if not _INTEGER.fullmatch(text.strip()):
        raise InvalidField(name, "must be a whole number")
    return int(text)
