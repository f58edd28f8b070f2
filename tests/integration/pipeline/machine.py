"""A shop's life in random order: every step may come at any time, and the books must hold."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters_db.campaigns.recount import SqlCampaignAudit
from retail_core.campaigns.errors import NoRecipients
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.queries import CampaignFilter
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.contacts.model import Contact
from retail_core.credits.errors import InsufficientCredits
from retail_core.kernel.ids import AccountId, MessageNumber, WorkerId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    BatchRefused,
    DeliveryReport,
    MessageState,
    NotSent,
    SubmissionOutcome,
)
from tests.contracts.messages.batches.deferring import defer, nights_of
from tests.contracts.messages.sms_gateway import IN_TIME
from tests.contracts.staging import (
    ANN,
    BEN,
    bar,
    change,
    claim,
    clear_the_stage,
    delete,
    intend,
    messages,
    opt_out,
    people,
    phone,
    policy,
    shop,
    written,
)
from tests.contracts.worlds import World
from tests.integration.pipeline.hand import Hand
from tests.pipeline import LEASE_OVER, Pipeline

ALL = PageRequest(1, 1_000)
TEXTS = ("Hello", "{{firstName|" + "B" * 150 + "}}", "Γεια {{firstName}} {{email}}")
NAMES = (None, "Ana", "A" * 120, "Άννα")
MINDS = ("out", "bar", "move", "del")
REFUSALS: tuple[SubmissionOutcome, ...] = (
    NotSent("refused"),
    BatchRefused("400"),
    AccessRefused("401"),
)


class ShopLife(RuleBasedStateMachine):
    """Subclasses say in which world. `gateway.accepted` is what phones would have received."""

    new_world: Callable[[], World]
    audit: SqlCampaignAudit

    @initialize(credits=st.integers(1, 30), texts=st.tuples(*[st.sampled_from(TEXTS)] * 2))
    def open_shops(self, credits: int, texts: tuple[str, str]) -> None:
        self.world = type(self).new_world()
        clear_the_stage(self.world)
        self.line = Pipeline.over(self.world, name=f"{uuid4()}", seed=uuid4().int)
        self.shops = [shop(self.world, credits), shop(self.world, 100)]
        self.contacts: dict[AccountId, list[Contact]] = {each: [] for each in self.shops}
        self.hands: list[Hand] = []
        self.reports: list[DeliveryReport] = []
        self.gone: set[str] = set()
        self.seen: dict[MessageNumber, MessageState] = {}
        self.grants = itertools.count(1)
        for account, text in zip(self.shops, texts, strict=True):
            for name in NAMES:
                self.contacts[account] += people(self.world, account, 1, first_name=name)
            self._start(written(self.world, account, text), 2)

    # ---------------------------------------------------------------- what the owner does

    @rule(first=st.booleans(), text=st.sampled_from(TEXTS), size=st.integers(1, 4))
    def start(self, *, first: bool, text: str, size: int) -> None:
        account = self.shops[first]
        self._start(written(self.world, account, text), size)

    @rule(first=st.booleans())
    def resume(self, *, first: bool) -> None:
        for campaign in self._campaigns(self.shops[first]):
            if campaign.state is CampaignState.PAUSED:
                self._start(campaign, 1)

    @rule(first=st.booleans(), credits=st.integers(1, 20))
    def top_up(self, *, first: bool, credits: int) -> None:
        account = self.shops[first]
        with self.world.transactions.begin(account) as uow:
            uow.credits.grant(account, f"session:{next(self.grants)}", credits, "stripe:topup")

    @rule(first=st.booleans(), which=st.integers(0, 3), how=st.sampled_from(MINDS))
    def change_somebodys_mind(self, *, first: bool, which: int, how: str) -> None:
        account = self.shops[first]
        self._change_mind(account, self.contacts[account][which], how)

    @precondition(lambda self: self._hands(handed_over=False))
    @rule(data=st.data(), how=st.sampled_from(MINDS))
    def change_the_mind_of_somebody_claimed(self, data: st.DataObject, how: str) -> None:
        hand = data.draw(st.sampled_from(self._hands(handed_over=False)))
        account = hand.batch.key.account
        claimed = set(hand.batch.recipients.contacts)
        known = [each for each in self.contacts[account] if each.id in claimed]
        if known:
            self._change_mind(account, data.draw(st.sampled_from(known)), how)

    def _change_mind(self, account: AccountId, contact: Contact, how: str) -> None:
        """Nobody hears of a shop at this number again; a new contact takes their place."""
        contacts = self.contacts[account]
        contacts.remove(contact)
        self.gone.add(contact.phone)
        if how == "out":
            opt_out(self.world, account, contact.id)
        elif how == "bar":
            bar(self.world, account, contact.phone)
        elif how == "move":
            change(self.world, account, contact, phone=phone(account))
        else:
            delete(self.world, account, contact.id)
        contacts += people(self.world, account, 1, first_name=contact.first_name)

    # -------------------------------------------------------------- what the workers do

    @rule(worker=st.sampled_from([ANN, BEN]))
    def claim(self, worker: WorkerId) -> None:
        batch = claim(self.world, worker)
        if batch is not None:
            self.hands.append(Hand.of(batch))

    @precondition(lambda self: self._hands(handed_over=False))
    @rule(data=st.data(), answer=st.sampled_from(["take", "take", "reject", "lose", "refuse"]))
    def hand_over(self, data: st.DataObject, answer: str) -> None:
        """Commit the intent and call the gateway; the answer is not booked yet."""
        hand = data.draw(st.sampled_from(self._hands(handed_over=False)))
        try:
            hand.dropped = intend(self.world, hand.batch, hand.ref)
        except LeaseLost:
            self.hands.remove(hand)
            return
        outgoing = hand.outgoing()
        assert not self.gone & {message.destination for message in outgoing}
        if answer == "refuse":
            self.line.gateway.answer_next(data.draw(st.sampled_from(REFUSALS)))
        elif answer == "lose":
            self.line.gateway.lose_next_answer()
        elif answer == "reject":
            self.line.gateway.reject_next(lambda message: message.number % 2 == 0)
        taken_before = len(self.line.gateway.accepted)
        hand.outcome = self.line.gateway.submit(outgoing, IN_TIME) if outgoing else Accepted(())
        if len(self.line.gateway.accepted) > taken_before:
            self.reports += self.line.gateway.become(MessageState.SENT)[taken_before:]

    @precondition(lambda self: self._hands(handed_over=False))
    @rule(data=st.data())
    def let_some_wait_for_the_end_of_their_night(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self._hands(handed_over=False)))
        size = len(hand.batch.recipients)
        nights = st.lists(st.sampled_from([0, 30, 60]), min_size=size, max_size=size)
        waits = nights_of(self.world.clock.now(), data.draw(nights))
        self.hands.remove(hand)
        rest = hand.batch.without(waits.values())
        is_ours = not waits or defer(self.world, hand.batch, waits)
        if is_ours and rest is not None:
            self.hands.append(Hand.of(rest))

    @precondition(lambda self: self._hands(handed_over=True))
    @rule(data=st.data(), how=st.sampled_from(["once", "once", "twice", "dies"]))
    def book(self, data: st.DataObject, how: str) -> None:
        """Book an answer, in time or late, or again after a lost commit; or die with it."""
        hand = data.draw(st.sampled_from(self._hands(handed_over=True)))
        if how != "twice":
            self.hands.remove(hand)
        if how != "dies":
            assert hand.outcome is not None
            assert hand.dropped is not None
            self.line.dispatch_batch._finish(
                hand.batch, hand.ref, hand.composed, hand.dropped, hand.outcome
            )

    @rule()
    def send_a_batch_at_once(self) -> None:
        before = len(self.line.gateway.accepted)
        self.line.dispatch()
        self.reports += self.line.gateway.become(MessageState.SENT)[before:]

    @rule(seconds=st.sampled_from([4, 40, LEASE_OVER.total_seconds()]))
    def let_time_pass_and_sweep(self, seconds: float) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))
        self.line.sweep()

    # -------------------------------------------------------------- what the gateway does

    @precondition(lambda self: self.reports)
    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        """Any reports, in any order, doubled, early or late."""
        words = st.sampled_from(["sent", "delivered", "failed", "teleported"])
        chosen = data.draw(st.lists(st.sampled_from(self.reports), min_size=1, max_size=4))
        self.line.deliver([attrs.evolve(each, word=data.draw(words)) for each in chosen])

    @rule()
    def match_parked_reports(self) -> None:
        self.line.match_parked_reports()

    # -------------------------------------------------------------------- what must hold

    @invariant()
    def nobody_gets_a_campaign_twice(self) -> None:
        numbers = [message.number for message in self.line.gateway.accepted]
        assert len(numbers) == len(set(numbers))
        for account in self.shops:
            for campaign in self._campaigns(account):
                phones = [
                    message.destination
                    for message in self.line.gateway.accepted
                    if campaign.first_number is not None
                    and 0 <= message.number - campaign.first_number < campaign.total
                ]
                assert len(phones) == len(set(phones))

    @invariant()
    def the_state_of_a_message_only_climbs(self) -> None:
        for account in self.shops:
            for campaign in self._campaigns(account):
                for row in messages(self.world, campaign):
                    assert row.state >= self.seen.get(row.number, MessageState.QUEUED)
                    self.seen[row.number] = row.state

    @invariant()
    def the_wallet_is_what_the_ledger_says(self) -> None:
        assert not self.world.ledger_audit.mismatches_across_accounts(10)

    @invariant()
    def what_is_held_belongs_to_open_recipients(self) -> None:
        for account in self.shops:
            campaigns = self._campaigns(account)
            assert self.line.wallet(account).held == sum(each.credits.held for each in campaigns)
            for each in campaigns:
                open_ones = each.counts.queued + each.counts.unknown
                assert (each.credits.held == 0) == (open_ones == 0)

    @invariant()
    def the_counters_are_what_the_rows_say(self) -> None:
        assert not self.audit.mismatches_across_accounts(10)

    def teardown(self) -> None:
        """Let everything end: all that stays open is unknown."""
        if not hasattr(self, "grants"):
            return  # the shops did not even open
        for account in self.shops:
            for campaign in self._campaigns(account):
                if campaign.state is CampaignState.PAUSED:
                    self._start(campaign, 1)
        self.let_time_pass_and_sweep(LEASE_OVER.total_seconds())
        self.world.clock.advance(timedelta(hours=1))
        self.line.dispatch_all()
        for account in self.shops:
            for campaign in self._campaigns(account):
                assert campaign.counts.queued == 0
        self.what_is_held_belongs_to_open_recipients()
        self.nobody_gets_a_campaign_twice()

    def _hands(self, *, handed_over: bool) -> list[Hand]:
        return [hand for hand in self.hands if (hand.outcome is not None) == handed_over]

    def _campaigns(self, account: AccountId) -> tuple[Campaign, ...]:
        return self.world.campaign_queries.page(account, CampaignFilter(), ALL).items

    def _start(self, campaign: Campaign, size: int) -> None:
        start = StartCampaign(self.world.transactions, self.world.clock, policy(size))
        try:
            start(campaign.account_id, campaign.id)
        except (InsufficientCredits, NoRecipients):
            return
