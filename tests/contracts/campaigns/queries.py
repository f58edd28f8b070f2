"""What the edge may rely on when it reads campaigns."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from retail_core.campaigns.errors import CampaignNotFound
from retail_core.campaigns.model import (
    CampaignContent,
    CampaignState,
)
from retail_core.campaigns.queries import CampaignFilter, CampaignOrder, CampaignOutcome
from retail_core.contacts.model import ConsentFact, ConsentSource, ConsentType, Contact
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.pages import PageRequest
from tests.contracts.campaigns.campaigns import ALL, NOWHERE, begun
from tests.contracts.people import AT, added, draft
from tests.contracts.staging import written
from tests.contracts.worlds import World


class CampaignQueriesContract:
    def test_a_campaign_that_does_not_exist_is_not_found(self, world: World) -> None:
        with pytest.raises(CampaignNotFound):
            world.campaign_queries.get(world.new_account(), NOWHERE)

    def test_queries_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        campaign = written(world, theirs)

        with pytest.raises(CampaignNotFound):
            world.campaign_queries.get(mine, campaign.id)
        assert world.campaign_queries.page(mine, CampaignFilter(), ALL).total == 0
        assert list(world.campaign_queries.by_ids(mine, [campaign.id])) == []
        assert [each.id for each in world.campaign_queries.by_ids(theirs, [campaign.id])] == [
            campaign.id
        ]

    def test_an_outcome_is_of_an_own_campaign(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        campaign = begun(world, theirs)
        [person] = added(world, theirs, draft())
        for kind in (ConsentType.WITHDRAWN, ConsentType.GRANTED, ConsentType.WITHDRAWN):
            self.decides(world, theirs, person, kind, campaign.id)

        nothing = CampaignOutcome(first_sent_at=None, unsubscribes=0)
        assert world.campaign_queries.outcome(mine, campaign.id) == nothing
        assert world.campaign_queries.outcome(theirs, campaign.id).unsubscribes == 1

    def test_pages_follow_each_other_newest_first(self, world: World) -> None:
        account = world.new_account()
        ids = [written(world, account).id for _ in range(5)]

        pages = [
            world.campaign_queries.page(account, CampaignFilter(), PageRequest(number, 2))
            for number in (1, 2, 3, 4)
        ]

        assert [[item.id for item in page.items] for page in pages] == [
            ids[:2:-1],
            ids[2:0:-1],
            ids[:1],
            [],
        ]
        assert {page.total for page in pages} == {5}

    @pytest.mark.parametrize(
        ("wanted", "names"),
        [
            ({"name": "SALE 1"}, ["Sale 1", "Sale 10%"]),
            ({"name": "%"}, ["Sale 10%"]),
            ({"name": "_"}, []),
            ({"state": CampaignState.FAILED}, ["Sale 2"]),
            ({"state": CampaignState.SENDING}, []),
        ],
    )
    def test_a_list_shows_what_was_asked_for(
        self, world: World, wanted: dict[str, Any], names: list[str]
    ) -> None:
        account = world.new_account()
        for name in ("Sale 1", "Sale 10%", "Sale 2"):
            self.named(world, account, name, fails=name == "Sale 2")

        page = world.campaign_queries.page(
            account, CampaignFilter(order=CampaignOrder.NAME, descending=False, **wanted), ALL
        )

        assert [item.content.name for item in page.items] == names

    def test_the_time_of_creation_is_bounded_from_included_to_excluded(self, world: World) -> None:
        account, noon = world.new_account(), world.clock.now()
        for _ in range(3):
            written(world, account)
            world.clock.advance(timedelta(hours=1))

        hour = CampaignFilter(created_from=noon, created_before=noon + timedelta(hours=1))

        assert world.campaign_queries.page(account, hour, ALL).total == 1

    @pytest.mark.parametrize("descending", [False, True])
    def test_what_never_happened_comes_last_in_either_order(
        self, world: World, *, descending: bool
    ) -> None:
        account = world.new_account()
        never = written(world, account)
        first = begun(world, account)
        world.clock.advance(timedelta(hours=1))
        second = begun(world, account)
        order = CampaignFilter(order=CampaignOrder.STARTED_AT, descending=descending)

        page = world.campaign_queries.page(account, order, ALL)

        happened = [second.id, first.id] if descending else [first.id, second.id]
        assert [item.id for item in page.items] == [*happened, never.id]

    @pytest.mark.parametrize("order", CampaignOrder)
    def test_equal_ones_come_by_id(self, world: World, order: CampaignOrder) -> None:
        account = world.new_account()
        ids = [written(world, account).id for _ in range(3)]

        page = world.campaign_queries.page(
            account, CampaignFilter(order=order, descending=False), ALL
        )

        assert [item.id for item in page.items] == ids

    def decides(
        self,
        world: World,
        account: AccountId,
        person: Contact,
        kind: ConsentType,
        campaign: CampaignId,
    ) -> None:
        is_subscribed = kind is ConsentType.GRANTED
        with world.transactions.begin(account) as uow:
            fact = ConsentFact(
                contact=person.id, type=kind, source=ConsentSource.LINK, at=AT, campaign=campaign
            )
            uow.consents.append(account, fact)
            uow.contacts.save(account, attrs.evolve(person, is_subscribed=is_subscribed))

    def named(self, world: World, account: AccountId, name: str, *, fails: bool) -> None:
        content = CampaignContent(name, "Hello")
        with world.transactions.begin(account) as uow:
            campaign = uow.campaigns.add(account, content, 0, world.clock.now())
            if fails:
                uow.campaigns.fail(account, campaign.id, "no_recipients", world.clock.now())
