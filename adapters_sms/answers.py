"""What an answer of the gateway means for the messages of the call (domain-rules, 8).

The one question behind every line: may the gateway have accepted them? Only where it surely did
not may they be sent again. Reasons carry neither numbers nor texts: they end up in logs.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import attrs
import orjson

from adapters_sms import vocabulary
from retail_core.kernel.ids import ProviderId
from retail_core.messages.model import (
    RETRY_AFTER_SECONDS_MAX,
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    NotSent,
    Rejection,
    SubmissionOutcome,
)

CODE_NAMES: Final = ("code", "errorCode", "responseCode", "statusCode", "status")
DETAIL_NAMES: Final = (*vocabulary.ERROR_NAMES, "message", "responseText")
CODE_CHARACTERS_MAX: Final = 64

_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_BATCH: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_ACCESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOT_IN_A_CODE: Final = re.compile(r"[^A-Za-z0-9_.:-]+")


@attrs.frozen
class Answer:
    """An HTTP answer; `body` is None if it broke off or was too long to be read."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None = attrs.field(repr=False)


def outcome_of(answer: Answer, messages: int, now: datetime) -> SubmissionOutcome:
    """Classify the answer to a call that handed over so many messages."""
    status = answer.status
    reason = f"http_{status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _accepted(answer.body, messages)
    if status in _LATER:
        return NotSent(reason, retry_after_seconds(answer.headers, now))
    if status in _BATCH:
        return BatchRefused(reason)
    if status in _ACCESS:
        return AccessRefused(reason)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return AllRejected(reason)
    return Doubtful(reason)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause the gateway asks for (a number or an HTTP date), bounded; None if it names none.

    A date is measured against the gateway's own `Date`, if it sends one: clocks differ.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        until = _http_date(value)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return float(min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX))


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _accepted(body: bytes | None, messages: int) -> SubmissionOutcome:
    """Ids in request order, as many as messages and all different; else who knows what it took."""
    if body is None:
        return Doubtful("answer_broken_off")
    entries = _entries(body)
    if entries is None:
        return Doubtful("answer_unreadable")
    if len(entries) != messages:
        return Doubtful("answer_with_wrong_count")
    results = tuple(_result(entry) for entry in entries)
    ids: set[str] = set()
    for result in results:
        if result is None:
            return Doubtful("answer_unreadable")
        if not isinstance(result, Rejection):
            if result in ids:
                return Doubtful("answer_with_repeated_ids")
            ids.add(result)
    return Accepted(tuple(result for result in results if result is not None))


def _entries(body: bytes) -> list[object] | None:
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    entries = parsed.get("messages") if isinstance(parsed, dict) else None
    return entries if isinstance(entries, list) else None


def _result(entry: object) -> ProviderId | Rejection | None:
    """One message's id, or why it has none; None if the entry cannot be understood."""
    if not isinstance(entry, dict):
        return None
    given = [entry[name] for name in vocabulary.ID_NAMES if entry.get(name) not in (None, "")]
    if given:
        return vocabulary.provider_id_of(entry)
    code = vocabulary.first_text(entry, CODE_NAMES, CODE_CHARACTERS_MAX)
    detail = vocabulary.first_text(entry, DETAIL_NAMES, vocabulary.ERROR_CHARACTERS_MAX)
    return Rejection(
        code=_NOT_IN_A_CODE.sub("_", vocabulary.masked(code)) or "rejected",
        detail=vocabulary.masked(detail),
    )
