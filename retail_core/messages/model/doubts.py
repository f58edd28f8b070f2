"""Doubt: messages that were handed over, and of which nobody knows yet whether they went out."""

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model.states import DeliveryReport, MessageState

SETTLE_HOURS = 72
"""So long an unknown message keeps its hold (`UNKNOWN_SETTLE_HOURS`)."""

REPORTED_EARLIER_MAX = timedelta(hours=2)
"""A report may tell of a moment so long before the doubt began: a lease, and clocks that differ."""

REPORTED_LATER_MAX = timedelta(hours=72)
"""... and of one so long after it: gateways try for two days."""

LOOK_UP_AFTER = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
    timedelta(hours=72),
)
"""At which ages a message without a final state is asked for; then no more."""

LOOK_UP_GIVEN_UP = timedelta(days=7)
"""At this age nobody tries again to get an answer that can be believed."""


class CreditPolicy(enum.StrEnum):
    """What happens to the hold of a message that stays unknown."""

    RELEASE = "release"
    CAPTURE = "capture"


NO_CAMPAIGN = CampaignId(0)


@attrs.frozen(order=True)
class MessageKey:
    """A message's place: its campaign, and its place in it.

    A single message is in no campaign, and its number is its place.
    """

    campaign: CampaignId
    seq: int
    account: AccountId = attrs.field(order=False)

    @classmethod
    def of_single(cls, account: AccountId, number: MessageNumber) -> "MessageKey":
        return cls(NO_CAMPAIGN, number, account)

    @property
    def is_single(self) -> bool:
        return self.campaign == NO_CAMPAIGN


@attrs.frozen
class Doubt:
    """A message whose outcome is not known for certain since a moment.

    `credits_settled`: it has been so for so long that its hold was settled by the policy. `state`
    is what a report said that may be somebody else's; without one it is unknown.
    """

    message: MessageKey
    number: MessageNumber
    since: datetime
    credits: int
    credits_settled: bool
    provider_id: ProviderId | None
    state: MessageState = MessageState.UNKNOWN


@attrs.frozen
class Askable:
    """A message that the gateway can be asked about; `since`: when it was handed over, if its time
    to be asked about has come.
    """

    message: MessageKey
    number: MessageNumber
    provider_id: ProviderId
    state: MessageState
    since: datetime | None = None


@attrs.frozen
class PutOff:
    """A message that is not to be asked about again before a moment."""

    message: MessageKey
    since: datetime
    again_at: datetime


@attrs.frozen
class DueMessages:
    """Messages to ask about now, and whether there may be others behind them."""

    messages: Sequence[Askable]
    has_more: bool


@attrs.frozen
class Finding:
    """What was learnt about one message, from whatever source.

    Of each kind the earliest time; `error` and `error_code` belong to a failure. What is not
    `certain` was told of the phone's number alone, and may be about somebody else's message to it:
    then the state follows, but the credits stay held, and the id is not the message's.
    """

    message: MessageKey
    state: MessageState
    provider_id: ProviderId | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    error: str | None = None
    error_code: str | None = None
    is_certain: bool = True

    @classmethod
    def of(
        cls,
        message: MessageKey,
        state: MessageState,
        at: datetime,
        provider_id: ProviderId | None = None,
        error: str | None = None,
        error_code: str | None = None,
    ) -> "Finding":
        """That a message reached a state at a moment."""
        failed = state is MessageState.FAILED
        return cls(
            message=message,
            state=state,
            provider_id=provider_id,
            sent_at=at if state is MessageState.SENT else None,
            delivered_at=at if state is MessageState.DELIVERED else None,
            failed_at=at if failed else None,
            error=error if failed else None,
            error_code=error_code if failed else None,
        )

    @classmethod
    def of_report(
        cls,
        message: MessageKey,
        report: DeliveryReport,
        now: datetime,
        *,
        is_certain: bool = True,
    ) -> "Finding":
        """What a report says about a message that it was matched with."""
        assert report.state is not None, "an unknown word says nothing"
        error = report.error or report.word
        found = cls.of(message, report.state, report.at or now, report.provider_id, error)
        return attrs.evolve(found, is_certain=is_certain)

    def and_also(self, other: "Finding") -> "Finding":
        """Both together: the higher state, the earliest times, the earliest failure's error."""
        first = self if _is_earlier(self.failed_at, other.failed_at) else other
        surer, less_sure = (self, other) if self.is_certain else (other, self)
        same = surer.is_certain == less_sure.is_certain
        return Finding(
            message=self.message,
            state=max(self.state, other.state),
            provider_id=surer.provider_id or (less_sure.provider_id if same else None),
            is_certain=surer.is_certain,
            sent_at=_earliest(self.sent_at, other.sent_at),
            delivered_at=_earliest(self.delivered_at, other.delivered_at),
            failed_at=first.failed_at,
            error=first.error,
            error_code=first.error_code,
        )


def merged(findings: Iterable[Finding]) -> Sequence[Finding]:
    """One finding per message, in the order of the messages."""
    by_message: dict[MessageKey, Finding] = {}
    for finding in findings:
        known = by_message.get(finding.message)
        by_message[finding.message] = finding if known is None else known.and_also(finding)
    return [by_message[message] for message in sorted(by_message)]


@attrs.frozen
class Resolved:
    """What a finding changed: the states of the row, and the credits that were still held for it.

    `credits` is 0 if the message had settled its credits before: each does so once. `reason` is
    what the ledger says of a single message.
    """

    message: MessageKey
    before: MessageState
    after: MessageState
    credits: int
    reason: str | None = None


@attrs.frozen
class HeldShare:
    """Credits of a campaign that are held without need; `key` names the transfer once for all."""

    account: AccountId
    campaign: CampaignId
    credits: int
    messages: int
    key: str


def doubt_key(campaign: CampaignId, first_seq: int) -> str:
    """The key of a transfer for messages that settle their credits together.

    Each settles once, so the first of them names them all.
    """
    return f"doubt:{campaign}:{first_seq}"


def try_again_at(since: datetime, now: datetime) -> datetime | None:
    """When a message that was handed over at a moment, and about which nobody got an answer now, is
    asked about again: at twice its age. None: no more.
    """
    age = max(now - since, LOOK_UP_AFTER[0])
    return now + age if 2 * age <= LOOK_UP_GIVEN_UP else None


def next_look_up(settled_at: datetime, now: datetime) -> datetime | None:
    """When messages that were settled at a moment are to be asked for next; None: no more."""
    coming = [settled_at + age for age in LOOK_UP_AFTER if settled_at + age > now]
    return min(coming, default=None)


def is_look_up_due(settled_at: datetime, asked_at: datetime | None, now: datetime) -> bool:
    """Whether an age for a look-up has come since the message was asked for."""
    return any(
        settled_at + age <= now and (asked_at is None or asked_at < settled_at + age)
        for age in LOOK_UP_AFTER
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _is_earlier(one: datetime | None, other: datetime | None) -> bool:
    return other is None or (one is not None and one <= other)
