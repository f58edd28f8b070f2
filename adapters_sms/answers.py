"""What an answer of the gateway means for the messages of the call (docs/rules.md, 8).

The one question behind every line: may the gateway have accepted them? Only where it surely did
not may they be sent again. Whoever stands between us and the gateway (a proxy, a cache, a firewall)
answers too, also after it has passed the call on; so a refusal counts only if it is the gateway's
own, or if by its meaning nobody passed anything on (docs/decisions/0028-refusals.md). Reasons carry
neither numbers nor texts: they end up in logs.
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

REFUSAL_NAMES: Final = (
    "error",
    "errors",
    "errorCode",
    "errorMessage",
    "responseCode",
    "responseText",
)
"""A refusal of the gateway names its reason in one of these."""

_NEVER_PASSED_ON: Final = frozenset(
    {
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
    }
)
"""By their meaning, whoever says so: the call was looked at and turned away."""

_BATCH: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
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
    if status in _NEVER_PASSED_ON:
        return NotSent(reason, retry_after_seconds(answer.headers, now))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return BatchRefused(reason)
    if status in _ACCESS:
        return AccessRefused(reason)
    return _own_refusal(answer, now) or Doubtful(reason)


def is_page(answer: Answer) -> bool:
    """Whether this is a page for people, as proxies have them, and nothing that the API says."""
    return answer.body is None or (answer.body != b"" and _object(answer.body) is None)


def _own_refusal(answer: Answer, now: datetime) -> SubmissionOutcome | None:
    """What the gateway says in its own form, in JSON; None if it is somebody else's."""
    status, reason = answer.status, f"http_{answer.status}"
    if _object(answer.body) is None:
        return None
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return NotSent(reason, retry_after_seconds(answer.headers, now))
    if status in _BATCH:
        return BatchRefused(reason)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and _says_why(answer):
        return AllRejected(reason)
    return None


def _says_why(answer: Answer) -> bool:
    """Whether a refusal for good gives its reason, and more than the status line does.

    `{"message": "Not Found"}` and `{"status": 404, "error": "Not Found"}` are what proxies say.
    """
    fields = _object(answer.body) or {}
    try:
        phrase = HTTPStatus(answer.status).phrase.lower()
    except ValueError:
        phrase = ""
    said = [fields[name] for name in REFUSAL_NAMES if fields.get(name) not in (None, "", [], {})]
    return any(str(each).strip().lower() != phrase for each in said)


def _object(body: bytes | None) -> Mapping[str, object] | None:
    try:
        parsed: object = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


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
    fields = _object(body)
    entries = fields.get("messages") if fields is not None else None
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
