"""What those who cause notices, and those who hand them over, may rely on."""

from datetime import timedelta

import attrs
import pytest

from retail_core.accounts.model import Locale
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId, CampaignId, NoticeId
from retail_core.kernel.secrets import SecretText
from retail_core.notices.model import (
    ATTEMPTS_MAX,
    CampaignFacts,
    CampaignFailed,
    CampaignFinished,
    CampaignPaused,
    ConfirmationCountry,
    ConfirmationLimit,
    Content,
    CreditsLow,
    HandOver,
    Letter,
    NewNotice,
    Notice,
    NoticeKind,
    PasswordReset,
)
from retail_core.notices.ports import Notifier
from tests.contracts.campaigns.campaigns import begun, record
from tests.contracts.credits.credits import shop_with
from tests.contracts.worlds import World

MINUTE = timedelta(minutes=1)
NOBODY = AccountId(0)
NO_NOTICE = NoticeId(2_000_000_000)
CONTENTS: tuple[Content, ...] = (
    PasswordReset(SecretText("https://app.example.com/reset?token=abc"), 60),
    CampaignPaused("Sale {name}\r\nBcc: x@y.example", "failure_rate"),
    CampaignPaused("Εκπτώσεις", "anything"),
    CampaignFailed("S" * 200, "no_recipients"),
    CampaignFinished("Sale", 10, 5, 3, 1, 1),
    CreditsLow(7),
    ConfirmationLimit(),
    ConfirmationCountry(),
)


def an_announcement(
    world: World, account: AccountId, cause: str = "why", kind: NoticeKind = NoticeKind.CREDITS_LOW
) -> NoticeId | None:
    with world.transactions.begin(account) as uow:
        return uow.notices.add(account, NewNotice(kind, cause, world.clock.now()))


def a_notice(
    world: World, account: AccountId, cause: str = "why", kind: NoticeKind = NoticeKind.CREDITS_LOW
) -> NoticeId:
    made = an_announcement(world, account, cause, kind)
    assert made is not None
    return made


def claim(world: World, account: AccountId, notice: NoticeId) -> Notice | None:
    now = world.clock.now()
    with world.transactions.begin(account) as uow:
        return uow.notices.claim(account, notice, now, now + 2 * MINUTE)


def forgotten(world: World, account: AccountId) -> list[NoticeId]:
    with world.transactions.across_accounts() as uow:
        found = uow.notices.forgotten_across_accounts(world.clock.now() - 10 * MINUTE, 10_000)
    return [notice for owner, notice in found if owner == account]


class NoticeStoreContract:
    def test_a_claimed_notice_says_what_it_is_about(self, world: World) -> None:
        account = world.new_account()
        campaign = begun(world, account)
        new = NewNotice(NoticeKind.CAMPAIGN_FAILED, "why", world.clock.now(), campaign.id)
        with world.transactions.begin(account) as uow:
            made = uow.notices.add(account, new)
        assert made is not None

        assert claim(world, account, made) == Notice(
            made, account, NoticeKind.CAMPAIGN_FAILED, campaign.id, new.at, 1
        )

    def test_a_cause_is_announced_once(self, world: World) -> None:
        account = world.new_account()
        made = a_notice(world, account)

        assert an_announcement(world, account) is None
        assert an_announcement(world, account, "other") is not None
        with world.transactions.begin(account) as uow:
            uow.notices.finish(account, made, world.clock.now())
        assert an_announcement(world, account) is None

    def test_the_same_cause_is_another_one_for_another_account(self, world: World) -> None:
        assert an_announcement(world, world.new_account()) is not None
        assert an_announcement(world, world.new_account()) is not None

    def test_nobody_hears_of_anything(self, world: World) -> None:
        with world.transactions.across_accounts() as uow:
            new = NewNotice(NoticeKind.PASSWORD_RESET, "why", world.clock.now())
            assert uow.notices.add(NOBODY, new) is None

    def test_a_claimed_notice_is_nobody_elses_until_the_claim_is_over(self, world: World) -> None:
        account = world.new_account()
        made = a_notice(world, account)

        assert claim(world, account, made) is not None
        assert claim(world, account, made) is None
        world.clock.advance(2 * MINUTE)
        second = claim(world, account, made)
        assert second is not None
        assert second.attempt == 2

    def test_who_lets_go_lets_another_attempt_begin(self, world: World) -> None:
        account = world.new_account()
        made = a_notice(world, account)

        for attempt in range(1, ATTEMPTS_MAX + 1):
            claimed = claim(world, account, made)
            assert claimed is not None
            assert claimed.attempt == attempt
            with world.transactions.begin(account) as uow:
                uow.notices.let_go(account, made, world.clock.now())
        assert claim(world, account, made) is None

    def test_what_is_done_is_done(self, world: World) -> None:
        account = world.new_account()
        made = a_notice(world, account)
        with world.transactions.begin(account) as uow:
            uow.notices.finish(account, made, world.clock.now())
            uow.notices.let_go(account, made, world.clock.now())

        assert claim(world, account, made) is None

    def test_an_unknown_notice_is_nobodys(self, world: World) -> None:
        assert claim(world, world.new_account(), NO_NOTICE) is None

    def test_open_notices_of_a_kind_can_be_withdrawn(self, world: World) -> None:
        account = world.new_account()
        kind = NoticeKind.PASSWORD_RESET
        done, waiting, held = (a_notice(world, account, cause, kind) for cause in "abc")
        other = a_notice(world, account, "d")
        claim(world, account, held)
        with world.transactions.begin(account) as uow:
            uow.notices.finish(account, done, world.clock.now())
            assert uow.notices.withdraw(account, kind) == 2
            uow.notices.finish(account, held, world.clock.now())

        assert claim(world, account, waiting) is None
        assert claim(world, account, other) is not None

    def test_what_nobody_touched_for_long_is_forgotten(self, world: World) -> None:
        account = world.new_account()
        done, dead, waiting = (a_notice(world, account, cause) for cause in "abc")
        with world.transactions.begin(account) as uow:
            uow.notices.finish(account, done, world.clock.now())
        for _ in range(ATTEMPTS_MAX):
            claim(world, account, dead)
            with world.transactions.begin(account) as uow:
                uow.notices.let_go(account, dead, world.clock.now())

        assert forgotten(world, account) == []
        world.clock.advance(11 * MINUTE)
        assert forgotten(world, account) == [waiting]
        claim(world, account, waiting)
        assert forgotten(world, account) == []

    def test_only_so_many_are_found_at_once(self, world: World) -> None:
        account = world.new_account()
        for cause in "abc":
            a_notice(world, account, cause)
        world.clock.advance(11 * MINUTE)

        with world.transactions.across_accounts() as uow:
            assert len(uow.notices.forgotten_across_accounts(world.clock.now(), 2)) == 2

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        made = a_notice(world, account)
        now = world.clock.now()

        for asked in (account, other):
            with world.transactions.begin(other) as uow:
                assert uow.notices.claim(asked, made, now, now + MINUTE) is None
                uow.notices.finish(asked, made, now)
                assert uow.notices.withdraw(asked, NoticeKind.CREDITS_LOW) == 0
        assert claim(world, account, made) is not None


class NoticeFactsContract:
    def test_a_campaign_is_told_as_it_stands(self, world: World) -> None:
        account = world.new_account()
        campaign = begun(world, account, recipients=10)
        record(world, campaign, queued=-10, sent=4, delivered=1, failed=2, unknown=2, cancelled=1)

        facts = world.notice_facts.campaign(account, campaign.id)

        assert facts == CampaignFacts(
            campaign.content.name, CampaignState.COMPLETED.value, None, 10, 5, 2, 2, 1
        )

    def test_an_unknown_campaign_has_no_facts(self, world: World) -> None:
        assert world.notice_facts.campaign(world.new_account(), CampaignId(2_000_000_000)) is None

    def test_credits_are_those_that_can_be_spent(self, world: World) -> None:
        account = shop_with(world, 10)
        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c1", 3, None)

        assert world.notice_facts.available(account) == 7
        assert world.notice_facts.available(world.new_account()) == 0

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign = begun(world, world.new_account())

        assert world.notice_facts.campaign(world.new_account(), campaign.id) is None


@attrs.frozen
class Post:
    """A notifier, and one that nobody takes letters from at present."""

    notifier: Notifier
    broken: Notifier | None


class NotifierContract:
    """A suite gives the fixture `post`."""

    @pytest.mark.parametrize("locale", list(Locale))
    @pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
    def test_every_notice_is_handed_over_in_every_language(
        self, post: Post, content: Content, locale: Locale
    ) -> None:
        letter = Letter("notice-1", "owner@shop.example", locale, content)

        assert post.notifier.hand_over(letter) is HandOver.DONE

    def test_what_is_out_of_order_may_work_later(self, post: Post) -> None:
        letter = Letter("notice-1", "owner@shop.example", Locale.EN, CreditsLow(1))

        if post.broken is not None:
            assert post.broken.hand_over(letter) is HandOver.LATER
