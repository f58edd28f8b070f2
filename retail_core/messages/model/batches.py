"""A batch: the unit of claiming, submitting and settling (docs/state-machines.md)."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from retail_core.accounts.model import QuietHours
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, WorkerId
from retail_core.links.urls import LinkTemplates
from retail_core.messages.model.states import MessageState
from retail_core.templates.encoding import Encoding, TextSize

BATCH_MESSAGES_MAX = 5_000
LEASE_SECONDS = 120
CALL_SECONDS = 30.0
"""So long a call of the gateway may last: none begins when less than that is left of a lease."""

SUBMIT_ATTEMPTS_MAX = 5
RETRY_AFTER_SECONDS_MAX = 3_600


class BatchState(enum.Enum):
    """queued -> claimed -> submitting -> settled, or unknown where nobody can tell.

    Who may not be sent to at this hour is deferred, and queued again when that is over.
    """

    QUEUED = "queued"
    DEFERRED = "deferred"
    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Dropped(enum.Enum):
    """Why a planned recipient was not handed over; the word is the message's `errorCode`."""

    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    NUMBER_CHANGED = "number_changed"
    ERASED = "erased"
    UNDER_AGE = "under_age"
    AGE_UNKNOWN = "age_unknown"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    FREQUENCY_CAP = "frequency_cap"
    TOO_LATE = "too_late"


@attrs.frozen
class SendingPlan:
    """All that is fixed at enqueue and, with the merge values, gives each text byte for byte.

    `text` has its appended lines. `offer_url` and `unsubscribe_url` are link templates; there is no
    offer page where the first is empty.
    `renderer` is the version of the rendering rules that must be used for ever.
    """

    text: str = attrs.field(repr=False)
    sender: str
    store_name: str
    offer_url: str
    unsubscribe_url: str
    smart_encoding: str = "off"
    renderer: int = 1

    @property
    def links(self) -> LinkTemplates:
        """How the links of its messages look."""
        return LinkTemplates(self.offer_url, self.unsubscribe_url)


@attrs.frozen
class Recipients:
    """The frozen recipients of a batch, as columns of equal length.

    `phones` are E.164 digits. A column of merge values is None where the text does not use it.
    """

    seqs: Sequence[int]
    contacts: Sequence[ContactId]
    phones: Sequence[int] = attrs.field(repr=False)
    credits_per_part: Sequence[int]
    first_names: Sequence[str | None] | None = attrs.field(default=None, repr=False)
    last_names: Sequence[str | None] | None = attrs.field(default=None, repr=False)
    emails: Sequence[str | None] | None = attrs.field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.seqs)

    def cut(self, part: slice) -> "Recipients":
        """Some of the recipients."""
        columns = {field.name: getattr(self, field.name) for field in attrs.fields(Recipients)}
        return Recipients(**{name: column and column[part] for name, column in columns.items()})

    def at(self, positions: Sequence[int]) -> "Recipients":
        """Those at some positions."""
        columns = {field.name: getattr(self, field.name) for field in attrs.fields(Recipients)}
        return Recipients(
            **{
                name: column and [column[position] for position in positions]
                for name, column in columns.items()
            }
        )


@attrs.frozen
class BatchKey:
    """A batch's identity: its campaign and its number in it."""

    account: AccountId
    campaign: CampaignId
    no: int


@attrs.frozen
class ClaimedBatch:
    """A batch that one worker owns until `lease_until`.

    `attempt` fences it against an older claim; `tries` counts calls that surely sent nothing.
    `strain` is the gateway's when it was claimed; a probe is sent alone while the gateway fails.
    `forgotten` keeps by seq the size of the texts of those who were deleted meanwhile: their merge
    values are gone, but credits are held for them. `quiet_hours` and `timezone` are the shop's.
    """

    key: BatchKey
    worker: WorkerId
    attempt: int
    tries: int
    lease_until: datetime
    first_number: int
    plan: SendingPlan
    recipients: Recipients
    ref: UUID | None = None
    dropped: Mapping[int, Dropped] = attrs.field(factory=dict)
    forgotten: Mapping[int, TextSize] = attrs.field(factory=dict)
    strain: int = 0
    is_probe: bool = False
    quiet_hours: QuietHours | None = None
    timezone: str | None = None

    def without(self, apart: Iterable[Sequence[int]]) -> "ClaimedBatch | None":
        """The batch once those at some positions went their own way; None if all did."""
        gone = {position for positions in apart for position in positions}
        stay = [position for position in range(len(self.recipients)) if position not in gone]
        return attrs.evolve(self, recipients=self.recipients.at(stay)) if stay else None


@attrs.frozen
class FrozenAudience:
    """What freezing an audience made."""

    recipients: int
    batches: int


@attrs.frozen
class MergeGroup:
    """Recipients whose texts have the same size: they share all merge values used and the price.

    `parts` is known where the values are not: of those who were forgotten meanwhile.
    """

    credits_per_part: int
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    recipients: int
    parts: int | None = None


@attrs.frozen
class BatchResults:
    """What became of each recipient of a batch, as columns of the length of the batch."""

    states: Sequence[MessageState]
    encodings: Sequence[Encoding]
    parts: Sequence[int]
    credits: Sequence[int]
    provider_ids: Sequence[str | None]
    error_codes: Sequence[str | None]
    errors: Sequence[str | None]

    def at(self, positions: Sequence[int]) -> "BatchResults":
        """Only the results of some recipients."""
        if len(positions) == len(self.states):
            return self
        columns = {
            field.name: [getattr(self, field.name)[position] for position in positions]
            for field in attrs.fields(BatchResults)
        }
        return BatchResults(**columns)

    def count(self, state: MessageState) -> int:
        return self.states.count(state)

    def credits_in(self, *states: MessageState) -> int:
        """Credits of the recipients in these states."""
        pairs = zip(self.states, self.credits, strict=True)
        return sum(credits for state, credits in pairs if state in states)


@attrs.frozen
class Settlement:
    """What a settle changed: rows of `positions` went from `previous` to their result.

    `without_hold` are those of them whose credits were settled before, by the policy for messages
    that stay unknown: each message settles its credits once. `reported` are those of whom a report
    that was not certain had told a state before: they keep it where it is the higher one.
    """

    previous: MessageState
    positions: Sequence[int]
    without_hold: frozenset[int] = frozenset()
    reported: Mapping[int, MessageState] = attrs.field(factory=dict)
