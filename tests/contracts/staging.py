"""Shops with contacts, credits and campaigns: the stage for every contract about sending."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.campaigns.model import Campaign, CampaignContent
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.contacts.model import Contact, SuppressionEntry, SuppressionReason
from retail_core.engagement.model import AppliedText, InboundText
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, ProviderId, WorkerId
from retail_core.kernel.money import DEFAULT_PRICES
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.ports import Transactions
from retail_core.links.codes import LinkCodes
from retail_core.links.urls import LinkTemplates
from retail_core.messages.composing import compose
from retail_core.messages.model import (
    BatchResults,
    ClaimedBatch,
    DeliveryReport,
    Dropped,
    FrozenAudience,
    GatewayHealth,
    MessageState,
    ProgressChange,
)
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.messages.use_cases.settling import settle
from retail_core.templates.rendering import Field
from tests.contracts.billing.billing import subscribed
from tests.contracts.every_store import EveryStore
from tests.contracts.people import added, draft
from tests.contracts.worlds import World

CODES = LinkCodes(b"a secret for links in tests, 32 bytes")
LINKS = LinkTemplates.of_settings(public_base_url="https://shop.example")
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
ANN, BEN = WorkerId("ann"), WorkerId("ben")
LEASE = timedelta(seconds=120)
EVERY_MESSAGE = PageRequest(1, 10_000)

_phones = itertools.count(1)


def policy(batch_messages_max: int = 3, **changes: Any) -> SendingPolicy:
    """Small batches, so that a few contacts make several."""
    return SendingPolicy(
        LINKS,
        fallback_sender="Shop",
        batch_messages_max=batch_messages_max,
        has_offer_page=True,
        **changes,
    )


def shop(world: World, credits: int = 1_000) -> AccountId:
    """An account that may send and has credits."""
    account = subscribed(world)
    with world.transactions.begin(account) as uow:
        uow.credits.grant(account, "gift", credits, "test")
    return account


def numbers_given(world: World) -> int:
    """How many message numbers were given out, to all stores together."""
    with world.transactions.across_accounts() as uow:
        return uow.numbers.given()


def phone(account: AccountId) -> PhoneNumber:
    """A number that no other test uses."""
    return PhoneNumber(f"+3069{account:06d}{next(_phones) % 10_000:04d}")


def people(world: World, account: AccountId, count: int, **changes: Any) -> list[Contact]:
    """Contacts that differ in their numbers."""
    return added(world, account, *(draft(phone(account), **changes) for _ in range(count)))


def rules(world: World, **changes: Any) -> AudienceRules:
    """The rules of a store as they are today."""
    now = world.clock.now()
    plain = AudienceRules(now.date(), adults_only=False, prices=DEFAULT_PRICES, now=now)
    return attrs.evolve(plain, **changes)


def written(
    world: World, account: AccountId, text: str = "Hello", audience: AudienceSpec | None = None
) -> Campaign:
    """A draft."""
    content = CampaignContent("Sale", text, audience or AudienceSpec(), include_offer=False)
    with world.transactions.begin(account) as uow:
        return uow.campaigns.add(account, content, 0, world.clock.now())


def started(
    world: World, account: AccountId, text: str = "Hello", batch_messages_max: int = 3
) -> Campaign:
    """A campaign to all contacts whose batches wait to be claimed."""
    campaign = written(world, account, text)
    start = StartCampaign(world.transactions, world.clock, policy(batch_messages_max))
    start(account, campaign.id)
    return world.campaign_queries.get(account, campaign.id)


def clear_the_stage(world: World) -> None:
    """Take what other tests left waiting, so that only this test's own work is due."""
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth())
        uow.batches.close_cancelled_across_accounts(100_000)
        uow.batches.free_stale_claims_across_accounts(FOREVER - LEASE)
        uow.batches.wake_across_accounts(FOREVER, 100_000)
        while uow.batches.claim_across_accounts(WorkerId("stage hand"), FOREVER, FOREVER):
            pass
        while calls := uow.reports.take_new_across_accounts(5_000):
            uow.reports.mark_applied([call.id for call in calls], world.clock.now())
        uow.reports.take_parked_across_accounts(FOREVER, 5_000)
        uow.doubts.take_matching_reports_across_accounts(FOREVER, 5_000)
        _settle_doubts(uow, world.clock.now())
        uow.doubts.close_batches_across_accounts(FOREVER, 100_000)
        uow.look_ups.due_across_accounts(FOREVER, 100_000, 0)
        singles = uow.look_ups.due_across_accounts(FOREVER, 0, 100_000)
        asked = [each.message for each in singles.messages]
        uow.look_ups.note_asked_across_accounts(asked, FOREVER)
        while texts := uow.inbound_texts.take_some_across_accounts(5_000, FOREVER):
            nothing = InboundText(sender="", receiver="", text="")
            done = [AppliedText(id=each.id, text=nothing) for each in texts]
            uow.inbound_texts.mark_applied_across_accounts(done, world.clock.now())


def _settle_doubts(uow: EveryStore, now: datetime) -> None:
    """Give back what is held for messages in doubt, in the books as well: others audit them."""
    for share in uow.doubts.settle_overdue_across_accounts(FOREVER, now, 100_000):
        account, campaign = share.account, share.campaign
        uow.progress.record(account, campaign, ProgressChange(released=share.credits), now)
        uow.credits.settle(account, share.key, 0, share.credits, campaign, "test", 0)


def claim(world: World, worker: WorkerId = ANN) -> ClaimedBatch | None:
    now = world.clock.now()
    with world.transactions.across_accounts() as uow:
        return uow.batches.claim_across_accounts(worker, now, now + LEASE)


def all_claims(world: World, worker: WorkerId = ANN) -> list[ClaimedBatch]:
    """Claim until nothing is due."""
    batches = []
    while batch := claim(world, worker):
        batches.append(batch)
    return batches


def claimed(world: World, worker: WorkerId = ANN) -> ClaimedBatch:
    """The next batch; there must be one."""
    batch = claim(world, worker)
    assert batch is not None
    return batch


def intend(
    world: World,
    batch: ClaimedBatch,
    ref: UUID,
    transactions: Transactions[EveryStore] | None = None,
) -> dict[int, Dropped]:
    """Commit the intent, in transactions of the world's; returns who is left out."""
    lease_until = world.clock.now() + LEASE
    with (transactions or world.transactions).begin(batch.key.account) as uow:
        return dict(uow.batches.commit_intent(batch, ref, lease_until, world.clock.now().date()))


def submitting(world: World, worker: WorkerId = ANN) -> tuple[ClaimedBatch, UUID]:
    """The next batch, about to be handed over under a fresh ref."""
    batch, ref = claimed(world, worker), uuid4()
    intend(world, batch, ref)
    return batch, ref


def results(batch: ClaimedBatch, ref: UUID, *states: MessageState) -> BatchResults:
    """Results with these states, the last one for all others; sent ones have an id each."""
    composed = compose(batch, CODES)
    size = len(composed)
    each = [*states, *[states[-1]] * size][:size]
    sent = [
        f"{ref}:{position}" if state is MessageState.SENT else None
        for position, state in enumerate(each)
    ]
    nothing = [None] * size
    return BatchResults(
        each, composed.encodings, composed.parts, composed.credits, sent, nothing, nothing
    )


def book(world: World, batch: ClaimedBatch, ref: UUID, outcome: BatchResults) -> bool:
    """Settle a batch with its credits and counters."""
    with world.transactions.begin(batch.key.account) as uow:
        return settle(uow, batch, ref, outcome, world.clock.now())


def sent(world: World) -> tuple[ClaimedBatch, list[ProviderId]]:
    """The next batch, handed over and settled as sent; and the ids of its messages."""
    batch, ref = submitting(world)
    outcome = results(batch, ref, MessageState.SENT)
    assert book(world, batch, ref, outcome)
    return batch, [ProviderId(each) for each in outcome.provider_ids if each]


def messages(
    world: World, campaign: Campaign, *, includes_tests: bool = False, **wanted: Any
) -> Sequence[MessageRecord]:
    """The log of a campaign, the lowest number first."""
    is_test = None if includes_tests else False
    found = MessageFilter(campaign=campaign.id, is_test=is_test, **wanted)
    return world.message_queries.page(campaign.account_id, found, EVERY_MESSAGE).items[::-1]


def bar(world: World, account: AccountId, number: PhoneNumber) -> None:
    """Suppress a number for one store, or for all if the account is the system's."""
    entry = SuppressionEntry(phone=number, reason=SuppressionReason.MANUAL, at=world.clock.now())
    with world.transactions.begin(account) as uow:
        uow.suppressions.add(account, entry)


def opt_out(world: World, account: AccountId, contact: ContactId) -> None:
    """Let somebody unsubscribe."""
    with world.transactions.begin(account) as uow:
        found = uow.contacts.lock(account, contact)
        assert found is not None
        uow.contacts.save(account, found.unsubscribed(world.clock.now()))


def delete(world: World, account: AccountId, contact: ContactId) -> None:
    """Remove somebody and their traces, as the use case does."""
    with world.transactions.begin(account) as uow:
        uow.message_traces.forget(account, [contact])
        uow.contacts.remove(account, [contact])


def report(
    provider_id: ProviderId, state: MessageState, at: datetime | None = None, **changes: Any
) -> DeliveryReport:
    """A delivery report."""
    plain = {"reference": None, "phone": None, "word": state.word, "error": None}
    return DeliveryReport(provider_id=provider_id, state=state, at=at, **plain | changes)


def freeze(
    world: World, campaign: Campaign, fields: frozenset[Field] = frozenset(), **changes: Any
) -> FrozenAudience:
    """Freeze everybody in batches of three."""
    account = campaign.account_id
    with world.transactions.begin(account) as uow:
        return uow.batches.freeze(
            account,
            campaign.id,
            campaign.content.audience,
            rules(world, **changes),
            fields,
            3,
            world.clock.now(),
        )


def due(world: World) -> bool:
    with world.transactions.across_accounts() as uow:
        return uow.batches.due_across_accounts(world.clock.now())


def pause(world: World, campaign: Campaign) -> None:
    with world.transactions.begin(campaign.account_id) as uow:
        uow.progress.pause_by_gateway(
            campaign.account_id, campaign.id, "gateway_refused", world.clock.now()
        )


def adults_only(world: World, account: AccountId) -> None:
    """Let a store write to nobody who may be under age."""
    with world.transactions.begin(account) as uow:
        uow.accounts.save_profile(attrs.evolve(uow.accounts.get(account), adults_only=True))


def change(world: World, account: AccountId, contact: Contact, **changes: Any) -> None:
    with world.transactions.begin(account) as uow:
        uow.contacts.save(account, attrs.evolve(contact, **changes))
