"""What the log, the links and the deletion of contacts may rely on about single messages."""

from uuid import uuid4

import pytest

from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import MessageKind, MessageState
from retail_core.messages.queries import MessageFilter
from tests.contracts.messages.singles.stage import (
    SENT,
    intend,
    planned,
    result_of,
    settle,
    to_contact,
)
from tests.contracts.staging import delete, messages, people, shop, started, written
from tests.contracts.worlds import World


class SingleLog:
    def test_tests_are_in_the_log_of_a_campaign_where_asked_for(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        test = planned(world, account, campaign=campaign.id, text="Tried")

        assert len(messages(world, campaign)) == 2
        rows = messages(world, campaign, includes_tests=True)

        assert [row.kind for row in rows] == [*[MessageKind.CAMPAIGN] * 2, MessageKind.TEST]
        row = rows[-1]
        assert (row.number, row.campaign, row.phone) == (test.number, campaign.id, test.phone)
        assert (row.text, row.sender, row.plan, row.contact) == ("Tried", "Shop", None, None)
        assert (row.parts, row.credits, row.state) == (2, 2, MessageState.QUEUED)
        assert row.created_at == world.clock.now()

    def test_tests_are_found_by_state_and_number_too(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        campaign = written(world, account)
        first, second = (planned(world, account, campaign=campaign.id) for _ in range(2))
        intend(world, account, ref)
        settle(world, account, ref, result_of(first, SENT))

        def found(**wanted: object) -> list[int]:
            rows = messages(world, campaign, includes_tests=True, **wanted)
            return [row.number for row in rows]

        assert found() == [first.number, second.number]
        assert found(state=SENT) == [first.number]
        assert found(state=MessageState.QUEUED) == [second.number]
        assert found(digits=second.phone[1:]) == [second.number]

    def test_the_log_does_not_see_another_accounts_tests(self, world: World) -> None:
        account, other = shop(world), shop(world)
        campaign = written(world, account)
        planned(world, account, campaign=campaign.id, occasion="mine")

        page = world.message_queries.page(
            other, MessageFilter(campaign=campaign.id), PageRequest(1, 10)
        )

        assert page.total == 0
        assert world.message_queries.of_occasions(other, ["mine"]) == []

    def test_messages_are_found_by_what_they_were_planned_for(self, world: World) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1, first_name="Ana")
        second = planned(world, account, occasion="b")
        first = to_contact(world, contact, account, occasion="a", reason="automation:welcome")
        planned(world, account, occasion="c")

        rows = world.message_queries.of_occasions(account, ["a", "b", "nothing"])

        assert [row.number for row in rows] == [second.number, first.number]
        assert rows[1].kind is MessageKind.AUTOMATION
        assert (rows[1].contact, rows[1].contact_first_name) == (contact.id, "Ana")
        assert (rows[1].campaign, rows[1].first_name) == (None, None)


class SingleTraces:
    def test_a_test_leads_to_its_store_and_to_nobody(self, world: World) -> None:
        account = shop(world)
        campaign = written(world, account)
        test = planned(world, account, campaign=campaign.id)

        origin = world.message_origins.find_across_accounts(test.number)

        assert origin == MessageOrigin(
            account, None, campaign.id, world.clock.now(), is_test=True, phone=test.phone
        )

    @pytest.mark.parametrize("kind", [MessageKind.AUTOMATION, MessageKind.CONFIRMATION])
    def test_other_single_messages_lead_to_their_contact(
        self, world: World, kind: MessageKind
    ) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1)
        message = to_contact(world, contact, account, kind=kind)

        origin = world.message_origins.find_across_accounts(message.number)

        asks = kind is MessageKind.CONFIRMATION
        assert origin == MessageOrigin(
            account, contact.id, None, world.clock.now(), asks, phone=contact.phone
        )

    def test_whoever_is_deleted_leaves_no_trace(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        gone, stays = people(world, account, 2)
        for contact in (gone, stays):
            to_contact(world, contact, account, occasion=f"welcome:{contact.phone}", text="Hi Ana")
        intend(world, account, ref)

        delete(world, account, gone.id)

        occasions = [f"welcome:{each.phone}" for each in (gone, stays)]
        first, second = world.message_queries.of_occasions(account, occasions)
        assert (first.contact, first.phone, first.text) == (None, None, None)
        assert (second.contact, second.phone, second.text) == (stays.id, stays.phone, "Hi Ana")
        assert (first.parts, first.credits) == (2, 2)
