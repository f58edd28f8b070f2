"""Asking the gateway what became of messages without a final state.

No transaction is open while the gateway is asked, and every call takes its turn in the pace. A
gateway that is away ends the round: the messages are asked about in another one. One message whose
answer cannot be believed is passed over, so that it does not hold up all behind it, and is asked
about again ever more rarely.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, ProviderId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.errors import GatewayUnavailable, MessageNotFound
from retail_core.messages.model import (
    Askable,
    Finding,
    GatewayMessage,
    MessageKey,
    MessageState,
    PutOff,
    try_again_at,
)
from retail_core.messages.ports import GatewayPace, MessagesUnitOfWork, Pause, SmsGateway
from retail_core.messages.use_cases.resolving import resolve

REFRESHED_PER_ROUND_MAX = 6_000
"""A tenth of what the gateway takes in ten minutes at 100 calls a second."""
REFRESHED_PER_SLICE_MAX = 500
LOOK_UP_SHARE = 0.1
"""Of the calls that the gateway takes; the rest is for sending."""
FAILURES_IN_A_ROW_MAX = 3
"""After so many answers in a row that nobody can believe the gateway is away."""
BATCHES_PER_SLICE_MAX = 40
ROUND_EVERY = timedelta(minutes=10)
SLICE_LEASE = timedelta(minutes=2)
"""Longer than a slice, its last wait and its last call; who dies keeps the others off so long."""
REFRESHED_PER_CAMPAIGN_MAX = 100
REFRESHED_PER_CALL_MAX = 100
ASKING_SECONDS_MAX = 20.0
"""Somebody waits for the answer: what is not asked by then is not asked."""


@attrs.frozen
class Answer:
    """What the gateway said about a message; None: it does not know it."""

    asked: Askable
    answer: GatewayMessage | None

    def finding(self, now: datetime) -> Finding | None:
        """What follows; a word we do not know says nothing."""
        if self.answer is None or self.answer.state is None:
            return None
        return Finding.of(
            self.asked.message,
            self.answer.state,
            self.answer.at or now,
            self.asked.provider_id,
            self.answer.error or self.answer.word,
        )


@attrs.frozen
class Asked:
    """The answers, in the order of the messages; fewer than messages if the asking ended early.

    `unanswered` are those about which the gateway was asked and said nothing to be believed.
    """

    answers: Sequence[Answer]
    unanswered: Sequence[Askable]
    gateway_is_away: bool

    @property
    def count(self) -> int:
        """How many messages the gateway was asked about."""
        return len(self.answers) + len(self.unanswered)


@attrs.frozen
class AskGateway:
    """Asks about messages one after the other, until the gateway is away or time is over."""

    gateway: SmsGateway
    pace: GatewayPace
    pause: Pause
    clock: Clock

    def __call__(
        self,
        messages: Sequence[Askable],
        seconds_max: float | None = None,
        failures_in_a_row_max: int = 1,
    ) -> Asked:
        """The gateway is away after so many messages in a row without an answer."""
        until = None
        if seconds_max is not None:
            until = self.clock.now() + timedelta(seconds=seconds_max)
        answers: list[Answer] = []
        unanswered: list[Askable] = []
        in_a_row = 0
        for message in messages:
            if until is not None and self.clock.now() >= until:
                break
            self.pause.seconds(self.pace.reserve(message.message.account))
            try:
                answers.append(Answer(message, self.gateway.look_up(message.provider_id)))
                in_a_row = 0
            except GatewayUnavailable:
                unanswered.append(message)
                in_a_row += 1
            if in_a_row >= failures_in_a_row_max:
                return Asked(answers, unanswered, gateway_is_away=True)
        return Asked(answers, unanswered, gateway_is_away=False)


def round_budget(interval_seconds: float, calls_per_second: float) -> int:
    """About how many messages a round may ask: a share of what the gateway takes until the next."""
    return max(1, int(interval_seconds * calls_per_second * LOOK_UP_SHARE))


def note(uow: MessagesUnitOfWork, answers: Sequence[Answer], now: datetime) -> set[MessageKey]:
    """Apply answers and remember that they were asked for; returns whose state changed."""
    findings = [finding for each in answers if (finding := each.finding(now)) is not None]
    resolved = resolve(uow, findings, now)
    uow.look_ups.note_asked_across_accounts([each.asked.message for each in answers], now)
    return {each.message for each in resolved if each.before is not each.after}


def put_off(uow: MessagesUnitOfWork, unanswered: Sequence[Askable], now: datetime) -> None:
    """Try again at twice the age of each, so that nothing is asked for ever; in the end no more."""
    later, given_up = [], []
    for each in unanswered:
        since = each.since or now
        again = try_again_at(since, now)
        if again is None:
            given_up.append(each.message)
        else:
            later.append(PutOff(each.message, since, again))
    uow.look_ups.put_off_across_accounts(later)
    uow.look_ups.note_asked_across_accounts(given_up, now)


@attrs.frozen
class RefreshRound:
    """How many messages were asked about, and whether others may be waiting: a slice reads some."""

    asked: int
    has_more: bool


@attrs.frozen
class RefreshStatuses:
    """Ask about messages of all shops whose time has come, a bounded number per round.

    However often a round is begun, and however long it lasts: one slice is at work at a time, and
    all slices within an interval share one budget.
    """

    transactions: Transactions[MessagesUnitOfWork]
    ask: AskGateway
    clock: Clock
    round_messages_max: int = REFRESHED_PER_ROUND_MAX
    round_every: timedelta = ROUND_EVERY

    def __call__(
        self, messages_max: int = REFRESHED_PER_SLICE_MAX, seconds_max: float | None = None
    ) -> RefreshRound:
        """One slice of a round, which asks about `round_messages_max` messages at most."""
        now = self.clock.now()
        lease_until = now + SLICE_LEASE
        with self.transactions.across_accounts() as uow:
            before = uow.look_ups.begin_slice_across_accounts(now, lease_until, self._round(now))
            left = self.round_messages_max - (before or 0)
            if before is None or left <= 0:
                if before is not None:
                    uow.look_ups.end_slice_across_accounts(lease_until, 0)
                return RefreshRound(0, has_more=False)
            due = uow.look_ups.due_across_accounts(
                now, BATCHES_PER_SLICE_MAX, min(left, messages_max)
            )
        asked = self.ask(_turned(due.messages, now), seconds_max, FAILURES_IN_A_ROW_MAX)
        with self.transactions.across_accounts() as uow:
            if asked.count:
                note(uow, asked.answers, self.clock.now())
                put_off(uow, asked.unanswered, self.clock.now())
            uow.look_ups.end_slice_across_accounts(lease_until, asked.count)
        goes_on = due.has_more and not asked.gateway_is_away and asked.count < left
        return RefreshRound(asked.count, goes_on)

    def _round(self, now: datetime) -> datetime:
        """When the round of a moment began: rounds follow one another without a gap."""
        return now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % self.round_every


def _turned(messages: Sequence[Askable], now: datetime) -> Sequence[Askable]:
    """Stores take turns, and each is begun elsewhere each minute.

    So the many of one do not keep the few of another waiting, also where a slice is over before
    all were asked, and a few without an answer do not end every round.
    """
    by_account: defaultdict[AccountId, list[Askable]] = defaultdict(list)
    for message in messages:
        by_account[message.message.account].append(message)
    minute = int(now.timestamp()) // 60
    lines = [
        line[minute % len(line) :] + line[: minute % len(line)] for line in by_account.values()
    ]
    turns = zip_longest(*lines)
    return [message for turn in turns for message in turn if message is not None]


@attrs.frozen
class Refreshed:
    """How many messages were asked about, how many changed, how many could not be asked."""

    refreshed: int
    updated: int
    errors: int


@attrs.frozen
class RefreshedMessage:
    """What a look-up made of one message; `found` None: it is not in this account's log.

    `asked` is False where the gateway was away.
    """

    provider_id: ProviderId
    found: Askable | None
    asked: bool
    answer: GatewayMessage | None
    state: MessageState | None
    changed: bool


@attrs.frozen
class RefreshMessages:
    """Ask about messages of one shop at once, because somebody wants to know."""

    transactions: Transactions[MessagesUnitOfWork]
    ask: AskGateway
    clock: Clock

    def of_campaign(self, account: AccountId, campaign: CampaignId) -> Sequence[RefreshedMessage]:
        """Those of a campaign that have no final state, oldest asked first; a bounded number."""
        with self.transactions.begin(account) as uow:
            found = uow.look_ups.open_of_campaign(account, campaign, REFRESHED_PER_CAMPAIGN_MAX)
        return self._asked(account, found)

    def by_provider_ids(
        self, account: AccountId, provider_ids: Sequence[ProviderId]
    ) -> Sequence[RefreshedMessage]:
        """Those with these ids, of which at most `REFRESHED_PER_CALL_MAX`.

        An id that is not in this account's log is not asked for.
        """
        wanted = list(dict.fromkeys(provider_ids))[:REFRESHED_PER_CALL_MAX]
        with self.transactions.begin(account) as uow:
            found = uow.look_ups.find(account, wanted)
        missing = set(wanted) - {each.provider_id for each in found}
        asked = {each.provider_id: each for each in self._asked(account, found)}
        return [
            RefreshedMessage(each, None, asked=False, answer=None, state=None, changed=False)
            if each in missing
            else asked[each]
            for each in wanted
        ]

    def _asked(self, account: AccountId, messages: Sequence[Askable]) -> Sequence[RefreshedMessage]:
        asked = self.ask(messages, ASKING_SECONDS_MAX)
        answers = {each.asked.message: each for each in asked.answers}
        changed: set[MessageKey] = set()
        states = {each.message: each.state for each in messages}
        if answers:
            with self.transactions.begin(account) as uow:
                changed = note(uow, tuple(answers.values()), self.clock.now())
                ids = [each.provider_id for each in messages]
                states |= {each.message: each.state for each in uow.look_ups.find(account, ids)}
        return [
            RefreshedMessage(
                provider_id=each.provider_id,
                found=each,
                asked=each.message in answers,
                answer=answers[each.message].answer if each.message in answers else None,
                state=states[each.message],
                changed=each.message in changed,
            )
            for each in messages
        ]


def summed_up(messages: Sequence[RefreshedMessage]) -> Refreshed:
    """The figures that a shop is told."""
    known = sum(each.answer is not None for each in messages)
    return Refreshed(
        refreshed=known,
        updated=sum(each.changed for each in messages),
        errors=len(messages) - known,
    )


@attrs.frozen
class ShowGatewayMessage:
    """What the gateway says about a message of this account's log; changes nothing.

    Raises `MessageNotFound` (without asking, if it is not in the log) or `GatewayUnavailable`.
    """

    transactions: Transactions[MessagesUnitOfWork]
    gateway: SmsGateway
    pace: GatewayPace
    pause: Pause

    def __call__(self, account: AccountId, provider_id: ProviderId) -> GatewayMessage:
        with self.transactions.begin(account) as uow:
            found = uow.look_ups.find(account, [provider_id])
        if not found:
            raise MessageNotFound
        self.pause.seconds(self.pace.reserve(account))
        answer = self.gateway.look_up(provider_id)
        if answer is None:
            raise MessageNotFound
        return answer
