"""What closing an account may rely on."""

from datetime import timedelta
from typing import Any

import pytest

from retail_core.accounts.model import Account
from retail_core.billing.model import Subscription
from retail_core.campaigns.model import Campaign
from retail_core.contacts.model import SuppressionEntry, SuppressionReason
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.notices.model import NewNotice, NoticeKind
from tests.contracts.accounts.api_keys import an_api_key, found
from tests.contracts.accounts.sessions import a_session, a_token
from tests.contracts.imports.imports import new_import
from tests.contracts.messages.singles.stage import planned
from tests.contracts.staging import people, phone, shop, started, written
from tests.contracts.worlds import World
from tests.pipeline import Pipeline

EVERYTHING = PageRequest(1, 1_000)


def hash_of(number: PhoneNumber) -> bytes:
    return number.encode().ljust(32, b"#")


def busy(world: World, account: AccountId) -> list[str]:
    with world.transactions.begin(account) as uow:
        return list(uow.closings.obstacles(account))


def begin(world: World, account: AccountId) -> bool:
    with world.transactions.across_accounts() as uow:
        return uow.closings.begin(account, world.clock.now())


def begin_erasing(world: World, account: AccountId) -> None:
    with world.transactions.begin(account) as uow:
        uow.closings.begin_erasing(account, world.clock.now())


def erase(world: World, account: AccountId, rows_max: int = 2, bound: Any = None) -> int:
    """All there is, a few rows at a time."""
    erased = 0
    while True:
        with world.transactions.begin(bound or account) as uow:
            some = uow.closings.erase_some(account, rows_max, hash_of, world.clock.now())
        if not some:
            return erased
        erased += some


def finish(world: World, account: AccountId) -> Account:
    with world.transactions.begin(account) as uow:
        uow.closings.finish(account, world.clock.now())
        return uow.accounts.get(account)


def sent_campaign(world: World, account: AccountId, count: int = 5) -> Campaign:
    """A campaign that is over, to so many new contacts."""
    people(world, account, count, first_name="Άννα", email="anna@shop.example")
    campaign = started(world, account, "Γεια {{firstName}} {{email}}")
    Pipeline.over(world, name=f"gateway of {account}", seed=account).dispatch_all()
    return world.campaign_queries.get(account, campaign.id)


def log(world: World, account: AccountId, campaign: Campaign) -> tuple[MessageRecord, ...]:
    wanted = MessageFilter(campaign=campaign.id)
    return world.message_queries.page(account, wanted, EVERYTHING).items


class ClosingStoreContract:
    """Claims cross accounts, so a suite gives a world of its own."""

    def test_nobody_signs_in_to_an_account_that_is_being_closed(self, world: World) -> None:
        account = world.new_account()

        assert not begin(world, account)
        assert not begin(world, account)
        with world.transactions.begin(account) as uow:
            assert uow.accounts.get(account).password_hash is None

    def test_no_program_gets_in_any_more(self, world: World) -> None:
        account = world.new_account()
        key = an_api_key(world, account)

        begin(world, account)

        ended = found(world, key)
        assert ended is not None
        assert ended.revoked_at == world.clock.now()
        erase(world, account)
        assert found(world, key) is None

    def test_who_comes_later_hears_that_rows_are_being_erased(self, world: World) -> None:
        account = world.new_account()
        begin(world, account)
        begin_erasing(world, account)
        begin_erasing(world, account)

        assert begin(world, account)

    def test_an_account_without_work_is_idle(self, world: World) -> None:
        account = shop(world)
        written(world, account)
        sent_campaign(world, account)

        assert busy(world, account) == []

    def test_a_campaign_that_sends_or_pauses_is_in_the_way(self, world: World) -> None:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)

        assert len(busy(world, account)) == 2  # and its credits are held
        with world.transactions.begin(account) as uow:
            uow.campaigns.pause(account, campaign.id, "by_user", world.clock.now())
        assert len(busy(world, account)) == 2
        assert busy(world, world.new_account()) == []

    def test_held_credits_single_messages_and_imports_are_in_the_way(self, world: World) -> None:
        account = shop(world)
        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c1", 1, None)
        assert len(busy(world, account)) == 1
        planned(world, account)
        assert len(busy(world, account)) == 2
        new_import(world, account)
        assert len(busy(world, account)) == 3

    def test_contacts_and_all_that_was_sent_to_them_are_forgotten(self, world: World) -> None:
        account = shop(world)
        campaign = sent_campaign(world, account)
        before = log(world, account, campaign)
        assert {each.phone for each in before} != {None}

        assert erase(world, account) >= 10

        contacts = world.contact_queries
        assert all(contacts.find(account, each.contact) is None for each in before if each.contact)
        after = log(world, account, campaign)
        assert [(each.phone, each.contact) for each in after] == [(None, None)] * 5
        assert [each.state for each in after] == [each.state for each in before]
        assert "Άννα" not in repr(after)

    def test_campaigns_keep_their_counts_and_lose_their_words(self, world: World) -> None:
        account = shop(world)
        campaign = sent_campaign(world, account)
        draft = written(world, account)

        erase(world, account)

        kept = world.campaign_queries.get(account, campaign.id)
        assert (kept.counts, kept.credits) == (campaign.counts, campaign.credits)
        words = {kept.content.name, kept.content.message_text}
        words |= {world.campaign_queries.get(account, draft.id).content.message_text}
        assert words == {"-"}

    def test_the_ledger_stays(self, world: World) -> None:
        account = shop(world)
        sent_campaign(world, account)
        before = world.credit_queries.transactions(account, EVERYTHING)

        erase(world, account)
        finish(world, account)

        assert world.credit_queries.transactions(account, EVERYTHING) == before
        audited = world.ledger_audit.mismatches_across_accounts(1_000_000)
        assert all(each.account != account for each in audited)

    def test_sessions_suppressions_imports_and_notices_are_removed(self, world: World) -> None:
        account = shop(world)
        session = a_session(world, account)
        a_token(world, session)
        number, now = phone(account), world.clock.now()
        entry = SuppressionEntry(phone=number, reason=SuppressionReason.STOP, at=now)
        with world.transactions.begin(account) as uow:
            uow.suppressions.add(account, entry)
            uow.notices.add(account, NewNotice(NoticeKind.CREDITS_LOW, "why", now))
        job = new_import(world, account)

        assert erase(world, account) >= 5
        with world.transactions.begin(account) as uow:
            assert uow.suppressions.reasons(account, number) == frozenset()
            assert uow.notices.withdraw(account, NoticeKind.CREDITS_LOW) == 0
        assert not world.session_queries.is_live(account, session.id, now)
        assert world.import_queries.find(account, job.id) is None
        assert erase(world, account) == 0

    def test_a_plan_ends(self, world: World) -> None:
        account = shop(world)

        erase(world, account)

        with world.transactions.begin(account) as uow:
            assert uow.subscriptions.get(account) != Subscription()
            assert not uow.subscriptions.get(account).is_active

    def test_the_address_is_free_again_and_the_owner_forgotten(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account) as uow:
            email = uow.accounts.get(account).email
        begin(world, account)
        begin_erasing(world, account)

        closed = finish(world, account)

        assert "@" not in closed.email
        assert (closed.company, closed.sender_name, closed.password_hash) == (None, None, None)
        with world.transactions.across_accounts() as uow:
            assert uow.accounts.find_by_email_across_accounts(email) is None
        finish(world, account)

    @pytest.mark.parametrize("rows_max", [1, 1_000])
    def test_it_does_not_see_another_accounts_rows(self, world: World, rows_max: int) -> None:
        account, other = shop(world), shop(world)
        campaign = sent_campaign(world, account)
        before = log(world, account, campaign)

        assert erase(world, account, rows_max, bound=other) == 0
        erase(world, other, rows_max)

        assert log(world, account, campaign) == before
        world.clock.advance(timedelta(seconds=1))
