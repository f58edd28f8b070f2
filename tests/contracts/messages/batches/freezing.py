"""What sending may rely on about freezing an audience into batches."""

import random
from collections import Counter

import attrs
import pytest

from retail_core.campaigns.model import Campaign
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import SYSTEM_ACCOUNT, CampaignId, ContactId
from retail_core.kernel.money import PriceList
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.messages.model import FrozenAudience, MergeGroup
from retail_core.templates.encoding import TextSize
from retail_core.templates.rendering import Field, compile_message, parse
from tests.contracts.staging import (
    LEASE,
    all_claims,
    bar,
    change,
    claimed,
    freeze,
    people,
    shop,
    started,
    written,
)
from tests.contracts.worlds import World
from tests.odd_names import LETTERS, WORDS


def groups(
    world: World, campaign: Campaign, shaped: frozenset[Field] = frozenset()
) -> list[MergeGroup]:
    with world.transactions.begin(campaign.account_id) as uow:
        return list(uow.batches.merge_groups(campaign.account_id, campaign.id, shaped))


class BatchFreezing:
    def test_every_recipient_is_in_exactly_one_batch(self, world: World) -> None:
        account = shop(world)
        contacts = people(world, account, 8)
        campaign = started(world, account, batch_messages_max=3)

        batches = all_claims(world)

        assert sorted(len(batch.recipients) for batch in batches) == [2, 3, 3]
        rows = [
            row
            for batch in batches
            for row in zip(
                batch.recipients.contacts,
                batch.recipients.phones,
                batch.recipients.seqs,
                strict=True,
            )
        ]
        assert Counter((contact, number) for contact, number, _ in rows) == Counter(
            (contact.id, int(contact.phone[1:])) for contact in contacts
        )
        assert sorted(seq for *_, seq in rows) == list(range(8))
        assert {batch.first_number for batch in batches} == {campaign.first_number}

    def test_freezing_tells_how_many_it_froze(self, world: World) -> None:
        account = shop(world)
        people(world, account, 7)

        assert freeze(world, written(world, account)) == FrozenAudience(7, 3)

    def test_an_empty_audience_makes_no_batch(self, world: World) -> None:
        assert freeze(world, written(world, shop(world))) == FrozenAudience(0, 0)

    def test_whoever_is_left_out_is_not_frozen(self, world: World) -> None:
        account, today = shop(world), world.clock.now().date()
        barred, barred_by_operator, (kept,) = (people(world, account, 1) for _ in range(3))
        people(world, account, 1, is_subscribed=False)
        people(world, account, 1, birthday=today.replace(year=today.year - 17))
        people(world, account, 1, line_type=LineType.LANDLINE)
        people(world, account, 1, country="FR")
        bar(world, account, barred[0].phone)
        bar(world, SYSTEM_ACCOUNT, barred_by_operator[0].phone)
        campaign = written(world, account)

        frozen = freeze(world, campaign, prices=PriceList({"GR": 1}, None))

        assert frozen.recipients == 1
        assert groups(world, campaign) == [MergeGroup(1, None, None, None, 1)]
        assert kept.is_subscribed

    def test_whoever_is_removed_while_others_are_frozen_is_named_until_forgotten(
        self, world: World
    ) -> None:
        account, now = shop(world), world.clock.now()
        *_, gone, long_gone = people(world, account, 3)
        campaign = started(world, account)
        with world.transactions.begin(account) as uow:
            uow.consents.remember_deleted(account, {gone.id: bytes(32)}, now)
            uow.consents.remember_deleted(account, {long_gone.id: bytes(32)}, now - LEASE)
            never_frozen = ContactId(long_gone.id + 1)
            uow.consents.remember_deleted(account, {never_frozen: bytes(32)}, now)
            departed = uow.batches.departed(account, campaign.id, now - LEASE)
            elsewhere = uow.batches.departed(account, CampaignId(campaign.id + 1), now - LEASE)
            uow.message_traces.forget(account, departed)
            left = uow.batches.departed(account, campaign.id, now - LEASE)

        assert list(departed) == [gone.id]
        assert (list(elsewhere), list(left)) == ([], [])

    def test_a_search_for_the_departed_does_not_see_another_accounts_rows(
        self, world: World
    ) -> None:
        account, other = shop(world), shop(world)
        [gone] = people(world, account, 1)
        campaign, now = started(world, account), world.clock.now()
        with world.transactions.begin(account) as uow:
            uow.consents.remember_deleted(account, {gone.id: bytes(32)}, now)

        with world.transactions.begin(other) as uow:
            assert not uow.batches.departed(account, campaign.id, now - LEASE)
            assert not uow.batches.departed(other, campaign.id, now - LEASE)

    def test_freezing_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, other, 3)

        assert freeze(world, written(world, account)).recipients == 0

    def test_recipients_are_grouped_by_price_and_used_values(self, world: World) -> None:
        account = shop(world)
        for name, country in (("Ana", "GR"), ("Ana", "GR"), ("Ana", "FR"), ("Bob", "GR")):
            people(world, account, 1, first_name=name, country=country, email="x@example.com")
        people(world, account, 1, last_name="Nemo")
        campaign = written(world, account)

        freeze(world, campaign, frozenset({Field.FIRST_NAME}))

        found = Counter({attrs.evolve(each, recipients=0): 0 for each in groups(world, campaign)})
        for each in groups(world, campaign):
            found[attrs.evolve(each, recipients=0)] += each.recipients
        assert found == {
            MergeGroup(1, "Ana", None, None, 0): 2,
            MergeGroup(2, "Ana", None, None, 0): 1,
            MergeGroup(1, "Bob", None, None, 0): 1,
            MergeGroup(1, None, None, None, 0): 1,
        }

    def test_only_the_values_that_the_text_uses_are_frozen(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1, first_name="Ana", last_name="Nemo", email="x@example.com")
        started(world, account, text="{{lastName}}")

        recipients = claimed(world).recipients

        assert (recipients.first_names, recipients.emails) == (None, None)
        assert list(recipients.last_names or ()) == ["Nemo"]

    def test_a_later_edit_of_a_contact_does_not_reach_what_is_frozen(self, world: World) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1, first_name="Ana")
        started(world, account, text="{{firstName}}")
        change(world, account, contact, first_name="Anastasia", country="FR")

        recipients = claimed(world).recipients

        assert list(recipients.first_names or ()) == ["Ana"]
        assert list(recipients.credits_per_part) == [1]

    @pytest.mark.parametrize("mode", SmartEncoding)
    @pytest.mark.parametrize(
        "text",
        [
            "Hi {{firstName|you there}}, is {{email}} yours? " + "x" * 70,
            "Γειά σου {{firstName|φίλε}}! Σήμερα ο καφές είναι δωρεάν: {{email}}",
            "{{firstName}}{{email}} " + "“ok” " * 20,
        ],
    )
    def test_values_may_be_grouped_by_their_shapes_without_changing_any_size(
        self, world: World, text: str, mode: SmartEncoding
    ) -> None:
        account = shop(world)
        dice = random.Random(text)
        names = ["", "  ", *("".join(dice.choices(LETTERS + WORDS, k=5)) for _ in range(40))]
        names += ["Ana", "Bob", "J. R.", "{x}", "Μαρία", "Ελένη", "Νίκος", "O'Neil", "Иван"]
        for name in names:
            people(world, account, 1, first_name=name, email=f"{name}@example.com")
        campaign = written(world, account)
        freeze(world, campaign, frozenset({Field.FIRST_NAME, Field.EMAIL}))
        message = compile_message(
            parse(text),
            store_name="",
            sample_offer_url="",
            sample_unsubscribe_url="",
            smart_encoding=mode,
        )

        def sizes(shaped: frozenset[Field]) -> Counter[tuple[TextSize, int]]:
            counted: Counter[tuple[TextSize, int]] = Counter()
            for each in groups(world, campaign, shaped):
                size = message.size(each.first_name, each.last_name, each.email)
                counted[size, each.credits_per_part] += each.recipients
            return counted

        assert sizes(message.shaped) == sizes(frozenset())
