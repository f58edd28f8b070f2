"""The names and words in which the gateway speaks about a message.

Names and words vary between its API families, so both are tables (docs/api.md, 4.1; docs/rules.md
8). Delivery reports and status look-ups are read with the same ones: a word means the same
wherever it comes from, and a word we do not know never counts as anything.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MESSAGE_NUMBER_MAX, MessageNumber, ProviderId
from retail_core.messages.model import MessageState

ID_NAMES: Final = ("messageId", "id", "MessageId")
REFERENCE_NAMES: Final = ("reference", "Reference")
NUMBER_NAMES: Final = ("destination", "to", "msisdn", "receiver")
STATUS_NAMES: Final = ("deliveryStatus", "status", "Status", "delivery_status")
TIME_NAMES: Final = ("updatedAt", "doneAt", "timestamp", "Timestamp", "createdAt")
ERROR_NAMES: Final = ("error", "Error", "description", "errorMessage")

WORDS: Final[Mapping[MessageState, str]] = {
    MessageState.DELIVERED: "delivered delivrd",
    MessageState.SENT: "sent ok completed queued accepted acceptd submitted buffered enroute",
    MessageState.FAILED: "failure failed undelivered undeliv expired rejected rejectd"
    " deleted error",
}
STATE_BY_WORD: Final[Mapping[str, MessageState]] = {
    word: state for state, words in WORDS.items() for word in words.split()
}

WORD_CHARACTERS_MAX: Final = 64
ERROR_CHARACTERS_MAX: Final = 200
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Times before this are empty values in disguise, such as .NET's year 1."""

_ID: Final = re.compile(r"[!-~]{1,128}")
_PHONE: Final = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")
_PHONE_PUNCTUATION: Final = re.compile(r"[\s().\-]")
_EPOCH: Final = re.compile(r"[0-9]{9,16}(?:\.[0-9]{1,9})?")
_EPOCH_IS_MILLISECONDS_FROM: Final = 1e11
_DIGITS: Final = re.compile(r"[0-9]{5,}")
_UNSTORABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def state_of(word: str) -> MessageState | None:
    """The state that a status word stands for, in any case; None for a word we do not know."""
    return STATE_BY_WORD.get(word.strip().lower())


def text_of(value: object) -> str | None:
    """A scalar as clean text; None for nothing, empty, true, false, lists and objects."""
    scalar = _scalar(value)
    return None if scalar is None else _UNSTORABLE.sub("", scalar).strip() or None


def _scalar(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def first_text(element: Mapping[str, object], names: Sequence[str], characters_max: int) -> str:
    """The first of these fields that says something, cut to a length; else empty."""
    for name in names:
        text = text_of(element.get(name))
        if text is not None:
            return text[:characters_max]
    return ""


def provider_id_of(element: Mapping[str, object]) -> ProviderId | None:
    """The gateway's id of the message, if it is one that can be stored and asked for."""
    for name in ID_NAMES:
        text = _scalar(element.get(name))
        if text is not None:
            return ProviderId(text) if _ID.fullmatch(text) else None
    return None


def reference_of(element: Mapping[str, object]) -> MessageNumber | None:
    """Our own number of the message, if the gateway echoes one that could be ours."""
    text = first_text(element, REFERENCE_NAMES, 32)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MESSAGE_NUMBER_MAX))):
        return None
    number = int(text)
    return MessageNumber(number) if 0 < number <= MESSAGE_NUMBER_MAX else None


def phone_of(element: Mapping[str, object]) -> PhoneNumber | None:
    """The recipient in E.164; the gateway always writes numbers internationally."""
    text = _PHONE_PUNCTUATION.sub("", first_text(element, NUMBER_NAMES, 40))
    match = _PHONE.fullmatch(text)
    return PhoneNumber(f"+{match[1]}") if match else None


def time_of(element: Mapping[str, object], arrived_at: datetime) -> datetime | None:
    """When it happened, in UTC; None if no field tells a believable time.

    A time after the arrival is a clock or a zone gone wrong and counts as the arrival.
    """
    for name in TIME_NAMES:
        moment = moment_of(element.get(name))
        if moment is not None and moment >= EARLIEST:
            return min(moment, arrived_at)
    return None


def moment_of(value: object) -> datetime | None:
    """A time written as ISO 8601 (UTC where no zone is given) or as epoch seconds or ms."""
    text = text_of(value)
    if text is None or len(text) > WORD_CHARACTERS_MAX:
        return None
    try:
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            if seconds >= _EPOCH_IS_MILLISECONDS_FROM:
                seconds /= 1000
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def error_of(element: Mapping[str, object], state: MessageState | None, word: str) -> str | None:
    """Why a message failed, in the gateway's text or else its word; None unless it failed."""
    if state is not MessageState.FAILED:
        return None
    return masked(first_text(element, ERROR_NAMES, ERROR_CHARACTERS_MAX)) or word


def masked(text: str) -> str:
    """The gateway's words without long runs of digits: numbers must not leak into our logs."""
    return _DIGITS.sub("…", text)
