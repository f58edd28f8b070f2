"""What a message is, the states it goes through, and what a gateway may answer."""

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MessageNumber, ProviderId, ReportId


class MessageState(enum.IntEnum):
    """The state of a message. Reports only climb: UNKNOWN < SENT < FAILED < DELIVERED."""

    QUEUED = 0
    SUBMITTING = 1
    UNKNOWN = 2
    SENT = 3
    FAILED = 4
    DELIVERED = 5
    CANCELLED = 6

    @property
    def word(self) -> str:
        """The outward word: a message being submitted still counts as queued."""
        return "queued" if self is MessageState.SUBMITTING else self.name.lower()


@attrs.frozen
class OutgoingMessage:
    """One message as it is handed to the gateway."""

    number: MessageNumber
    destination: PhoneNumber = attrs.field(repr=False)
    sender: str
    text: str = attrs.field(repr=False)


@attrs.frozen
class Rejection:
    """One message of a call that the gateway took no responsibility for."""

    code: str
    detail: str


@attrs.frozen
class Accepted:
    """The gateway took the call: one result per message, in the order of the request."""

    results: tuple[ProviderId | Rejection, ...]


@attrs.frozen
class NotSent:
    """Surely nothing was handed over; the same call may be made again."""

    reason: str
    retry_after_seconds: float | None = None


@attrs.frozen
class TooLate:
    """The deadline was over before anything was handed over, so surely nothing was."""

    reason: str


@attrs.frozen
class BatchRefused:
    """The call as a whole was refused (400, 413, 422): nothing was handed over."""

    reason: str


@attrs.frozen
class AccessRefused:
    """Key or account was refused (401, 403): nothing was handed over."""

    reason: str


@attrs.frozen
class AllRejected:
    """Refused for good (any other 4xx): nothing was handed over and nothing will be."""

    reason: str


@attrs.frozen
class Doubtful:
    """The messages may have been accepted: they are never submitted again."""

    reason: str


SubmissionOutcome = (
    Accepted | NotSent | TooLate | BatchRefused | AccessRefused | AllRejected | Doubtful
)


@attrs.frozen
class DeliveryReport:
    """What the gateway says became of a message; `state` is None for a word we do not know."""

    provider_id: ProviderId | None
    reference: MessageNumber | None
    phone: PhoneNumber | None = attrs.field(repr=False)
    state: MessageState | None
    word: str
    at: datetime | None
    error: str | None


@attrs.frozen
class GatewayMessage:
    """What a status look-up says about one message."""

    provider_id: ProviderId
    state: MessageState | None
    word: str
    at: datetime | None
    error: str | None
    parts: int
    raw: Mapping[str, object] = attrs.field(repr=False)


@attrs.frozen
class ProgressChange:
    """What to add to a campaign's counters; the counts of recipients sum to zero."""

    queued: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    unknown: int = 0
    cancelled: int = 0
    captured: int = 0
    released: int = 0


class CampaignTurn(enum.Enum):
    """What a change of its counters made of a campaign, without anybody asking for it."""

    COMPLETED = "completed"
    PAUSED = "paused"


FAILURE_RATE_SETTLED_MIN = 50
FAILURE_RATE_PERCENT_MAX = 30
FAILURE_RATE_REASON = "failure_rate"


def fails_too_often(settled: int, failed: int) -> bool:
    """Whether a campaign should be paused: enough is known, and too much of it failed for good.

    Refused messages and those reported undelivered count alike.
    """
    enough = settled >= FAILURE_RATE_SETTLED_MIN
    return enough and failed * 100 > FAILURE_RATE_PERCENT_MAX * settled


@attrs.frozen
class RawReport:
    """One webhook call as it was stored."""

    id: ReportId
    raw: bytes = attrs.field(repr=False)
    arrived_at: datetime
