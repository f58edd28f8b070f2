"""What the edge and the contacts room may rely on about messages."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.model import Campaign
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import CampaignId, ContactId, MessageNumber
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.time.clock import Clock
from retail_core.links.codes import CODE_NUMBER_MAX
from retail_core.messages.errors import NumbersUsedUp
from retail_core.messages.model import MessageState
from retail_core.messages.ports import Pause
from retail_core.messages.queries import MessageFilter, MessageRecord
from tests.contracts.staging import (
    FOREVER,
    book,
    change,
    claimed,
    clear_the_stage,
    delete,
    messages,
    people,
    phone,
    results,
    sent,
    shop,
    started,
    submitting,
    written,
)
from tests.contracts.worlds import World

QUEUED, SENT, UNKNOWN = MessageState.QUEUED, MessageState.SENT, MessageState.UNKNOWN


class OnAClearStage:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)


class MessageNumbersContract:
    def test_blocks_never_overlap(self, world: World) -> None:
        def reserve(size: int) -> range:
            with world.transactions.begin(account) as uow:
                first = uow.numbers.reserve_block(size)
            return range(first, first + size)

        account = world.new_account()
        sizes = [1, 7, 100, 3] * 5

        with ThreadPoolExecutor(4) as threads:
            blocks = list(threads.map(reserve, sizes))

        numbers = [number for block in blocks for number in block]
        assert len(numbers) == len(set(numbers)) == sum(sizes)
        assert min(numbers) > 0

    def test_a_block_is_never_given_again_after_a_rollback(self, world: World) -> None:
        account, lost = world.new_account(), []
        with suppress(ZeroDivisionError), world.transactions.begin(account) as uow:
            lost.append(uow.numbers.reserve_block(10))
            raise ZeroDivisionError

        with world.transactions.begin(account) as uow:
            assert uow.numbers.reserve_block(1) >= lost[0] + 10

    def test_what_was_given_is_known(self, world: World) -> None:
        with world.transactions.begin(world.new_account()) as uow:
            first = uow.numbers.reserve_block(10)
            given = uow.numbers.given()

        assert given >= first + 9

    def test_a_block_beyond_the_last_number_is_refused_and_takes_nothing(
        self, world: World
    ) -> None:
        with world.transactions.begin(world.new_account()) as uow:
            before = uow.numbers.given()
            with pytest.raises(NumbersUsedUp):
                uow.numbers.reserve_block(CODE_NUMBER_MAX - before + 1)
            # and the transaction goes on
            assert uow.numbers.reserve_block(1) > before


class MessageQueriesContract(OnAClearStage):
    def test_waiting_recipients_are_in_the_log_from_the_start(self, world: World) -> None:
        campaign = self.campaign(world, 5)

        rows = messages(world, campaign)

        assert campaign.first_number is not None
        assert [row.number for row in rows] == [campaign.first_number + seq for seq in range(5)]
        assert {(row.state, row.parts, row.provider_id) for row in rows} == {(QUEUED, None, None)}
        assert {row.plan for row in rows} == {campaign.plan}
        assert {row.created_at for row in rows} == {campaign.started_at}
        assert [row.first_name for row in rows] == [f"Name {no}" for no in range(5)]

    @pytest.mark.parametrize("state", [SENT, UNKNOWN])
    def test_everybody_is_in_the_log_once_at_every_moment(
        self, world: World, state: MessageState
    ) -> None:
        campaign = self.campaign(world, 5)
        seen = [len(messages(world, campaign))]
        batch, ref = submitting(world)
        seen.append(len(messages(world, campaign)))
        book(world, batch, ref, results(batch, ref, state))
        seen.append(len(messages(world, campaign)))
        claimed(world)
        seen.append(len(messages(world, campaign)))

        assert seen == [5] * 4
        assert len(messages(world, campaign, state=QUEUED)) == 2
        assert len(messages(world, campaign, state=state)) == 3

    def test_pages_follow_each_other_highest_number_first(self, world: World) -> None:
        campaign = self.campaign(world, 5)
        sent(world)

        pages = [self.page(world, campaign, number) for number in (1, 2, 3)]

        numbers = [row.number for page in pages for row in page]
        assert [len(page) for page in pages] == [2, 2, 1]
        assert numbers == sorted(numbers, reverse=True)

    def test_messages_are_found_by_part_of_the_number(self, world: World) -> None:
        campaign = self.campaign(world, 3)
        wanted = messages(world, campaign)[1].phone
        assert wanted is not None

        assert [row.phone for row in messages(world, campaign, digits=wanted[5:])] == [wanted]
        assert not messages(world, campaign, digits="999999999999")

    def test_the_log_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign = self.campaign(world, 5)
        sent(world)

        page = world.message_queries.page(
            shop(world), MessageFilter(campaign=campaign.id), PageRequest(1, 10)
        )

        assert (page.items, page.total) == ((), 0)

    def test_a_campaign_that_never_started_has_no_messages(self, world: World) -> None:
        account = shop(world)

        for campaign_id in (written(world, account).id, CampaignId(2_000_000_000)):
            page = world.message_queries.page(
                account, MessageFilter(campaign=campaign_id), PageRequest(1, 10)
            )
            assert (page.items, page.total) == ((), 0)

    def test_the_names_of_the_text_and_of_today_are_told_apart(self, world: World) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1, first_name="Ana", last_name="Nemo")
        campaign = started(world, account, text="{{firstName}}")
        change(world, account, contact, first_name="Anastasia")

        (row,) = messages(world, campaign)

        assert (row.first_name, row.last_name) == ("Ana", None)
        assert (row.contact_first_name, row.contact_last_name) == ("Anastasia", "Nemo")

    def campaign(self, world: World, count: int) -> Campaign:
        account = shop(world)
        for no in range(count):
            people(world, account, 1, first_name=f"Name {no}")
        return started(world, account, text="{{firstName}}")

    def page(self, world: World, campaign: Campaign, number: int) -> tuple[MessageRecord, ...]:
        page = world.message_queries.page(
            campaign.account_id, MessageFilter(campaign=campaign.id), PageRequest(number, 2)
        )
        assert page.total == 5
        return page.items


class MessageOriginsContract(OnAClearStage):
    def test_a_number_leads_to_its_contact_before_and_after_the_hand_over(
        self, world: World
    ) -> None:
        account = shop(world)
        contacts = people(world, account, 4)
        campaign = started(world, account)
        expected = [self.origin(campaign, each.id, each.phone) for each in contacts]

        waiting = self.found(world, campaign)
        sent(world)
        partly_sent = self.found(world, campaign)
        sent(world)

        assert waiting == partly_sent == self.found(world, campaign) == expected

    def test_a_number_nobody_has_leads_nowhere(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        assert campaign.first_number is not None

        for number in (0, campaign.first_number + 2, 2**53 - 1):
            assert world.message_origins.find_across_accounts(MessageNumber(number)) is None

    def test_a_number_that_was_changed_since_is_the_one_it_went_to(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        campaign = started(world, account)
        sent(world)
        change(world, account, contact, phone=phone(account))

        assert self.found(world, campaign) == [self.origin(campaign, contact.id, contact.phone)]

    def test_what_was_kept_of_a_forgotten_number_is_found(self, world: World) -> None:
        account = shop(world)
        deleted, stays = people(world, account, 2)
        campaign = started(world, account)
        sent(world)
        hashes = {deleted.id: bytes(32)}
        with world.transactions.begin(account) as uow:
            uow.number_traces.keep(account, hashes, world.clock.now() - timedelta(days=1))
        delete(world, account, deleted.id)

        forgotten = attrs.evolve(self.origin(campaign, None), phone_hash=bytes(32))
        kept = self.origin(campaign, stays.id, stays.phone)
        assert self.found(world, campaign) == [forgotten, kept]

    def test_the_deleted_have_no_contact(self, world: World) -> None:
        account = shop(world)
        gone, waiting = people(world, account, 2)
        campaign = started(world, account, batch_messages_max=1)
        sent(world)
        for contact in (gone, waiting):
            delete(world, account, contact.id)

        assert self.found(world, campaign) == [self.origin(campaign, None)] * 2

    def found(self, world: World, campaign: Campaign) -> list[MessageOrigin | None]:
        assert campaign.first_number is not None
        return [
            world.message_origins.find_across_accounts(MessageNumber(campaign.first_number + seq))
            for seq in range(campaign.total)
        ]

    def origin(
        self, campaign: Campaign, contact: ContactId | None, phone: PhoneNumber | None = None
    ) -> MessageOrigin:
        assert campaign.started_at is not None
        return MessageOrigin(
            campaign.account_id,
            contact,
            campaign.id,
            campaign.started_at,
            phone=phone,
        )


class PauseContract:
    """Tests ask for the fixtures `pause` and `clock`."""

    @pytest.mark.parametrize("duration_seconds", [0.0, 0.02])
    def test_a_pause_takes_at_least_its_time(
        self, pause: Pause, clock: Clock, duration_seconds: float
    ) -> None:
        before = clock.now()

        pause.seconds(duration_seconds)

        assert clock.now() - before >= timedelta(seconds=duration_seconds)

    def test_a_pause_of_less_than_nothing_is_none(self, pause: Pause, clock: Clock) -> None:
        before = clock.now()

        pause.seconds(-60.0)

        assert clock.now() >= before
        assert clock.now() < FOREVER
