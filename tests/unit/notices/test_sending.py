"""Handing notices over: once, while they are true, and again where that failed."""

import pytest

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import NoticeId
from retail_core.notices.jobs import announce
from retail_core.notices.model import (
    CampaignFailed,
    CampaignFinished,
    CampaignPaused,
    ConfirmationCountry,
    ConfirmationLimit,
    Content,
    CreditsLow,
    HandOver,
    NewNotice,
    NoticeKind,
)
from retail_core.notices.use_cases import (
    SweepNotices,
)
from tests.contracts.campaigns.campaigns import begun, record
from tests.unit.notices.office import MINUTE, Office


@pytest.fixture
def office() -> Office:
    return Office()


class TestHandingOver:
    def test_what_did_not_work_is_tried_five_times(self, office: Office) -> None:
        office.account()
        office.notifier.answers.extend([HandOver.LATER] * 5)
        office.ask()
        (job,) = office.jobs()

        for _ in range(5):
            with pytest.raises(Unavailable):
                office.send(job)
        assert office.send(job) is False
        assert office.notifier.letters == []

    def test_the_attempt_that_works_is_the_last(self, office: Office) -> None:
        office.account()
        office.notifier.answers.append(HandOver.LATER)
        office.ask()
        (job,) = office.jobs()
        with pytest.raises(Unavailable):
            office.send(job)

        assert [office.send(job), office.send(job)] == [True, False]

    def test_an_address_that_takes_no_letters_is_given_up(self, office: Office) -> None:
        office.account()
        office.notifier.answers.append(HandOver.REFUSED)
        office.ask()
        (job,) = office.jobs()

        assert [office.send(job), office.send(job)] == [False, False]

    def test_a_notice_that_is_gone_is_no_matter(self, office: Office) -> None:
        assert office.sender()(office.account().id, NoticeId(5)) is False

    def test_a_lost_nudge_is_made_again(self, office: Office) -> None:
        office.account()
        office.ask()
        office.jobs()
        sweep = SweepNotices(office.world.transactions, office.world.clock)
        assert sweep() == 0
        office.world.clock.advance(MINUTE * 11)

        assert sweep() == 1
        assert office.send(office.jobs()[0])
        assert sweep() == 0


class TestCampaigns:
    def test_an_owner_hears_how_a_campaign_ended(self, office: Office) -> None:
        account = office.account().id
        campaign = begun(office.world, account, recipients=3)
        record(office.world, campaign, queued=-3, sent=2, failed=1)

        assert office.send(office.announce(account, NoticeKind.CAMPAIGN_FINISHED, campaign))
        name = campaign.content.name
        assert [each.content for each in office.notifier.letters] == [
            CampaignFinished(name, 3, 2, 1, 0, 0)
        ]

    def test_an_owner_hears_why_a_campaign_paused(self, office: Office) -> None:
        account = office.account().id
        campaign = begun(office.world, account, recipients=3)
        with office.world.transactions.begin(account) as uow:
            uow.progress.pause_by_gateway(
                account, campaign.id, "gateway_refused", office.world.clock.now()
            )

        assert office.send(office.announce(account, NoticeKind.CAMPAIGN_PAUSED, campaign))
        assert [each.content for each in office.notifier.letters] == [
            CampaignPaused(campaign.content.name, "gateway_refused")
        ]

    def test_an_owner_hears_why_a_campaign_failed(self, office: Office) -> None:
        account = office.account().id
        campaign = begun(office.world, account, recipients=3)
        with office.world.transactions.begin(account) as uow:
            uow.campaigns.fail(account, campaign.id, "no_recipients", office.world.clock.now())

        assert office.send(office.announce(account, NoticeKind.CAMPAIGN_FAILED, campaign))
        assert [each.content for each in office.notifier.letters] == [
            CampaignFailed(campaign.content.name, "no_recipients")
        ]

    def test_nobody_hears_of_a_pause_that_is_over(self, office: Office) -> None:
        account = office.account().id
        campaign = begun(office.world, account)

        assert office.send(office.announce(account, NoticeKind.CAMPAIGN_PAUSED, campaign)) is False

    def test_nobody_hears_of_a_pause_of_their_own(self, office: Office) -> None:
        account = office.account().id
        campaign = begun(office.world, account)
        with office.world.transactions.begin(account) as uow:
            uow.campaigns.pause(account, campaign.id, "by_user", office.world.clock.now())

        assert office.send(office.announce(account, NoticeKind.CAMPAIGN_PAUSED, campaign)) is False

    @pytest.mark.parametrize(
        ("kind", "content"),
        [
            (NoticeKind.CONFIRMATION_LIMIT, ConfirmationLimit()),
            (NoticeKind.CONFIRMATION_COUNTRY, ConfirmationCountry()),
        ],
    )
    def test_confirmations_that_were_not_sent_are_told(
        self, office: Office, kind: NoticeKind, content: Content
    ) -> None:
        account = office.account().id
        with office.world.transactions.begin(account) as uow:
            announce(uow, account, NewNotice(kind, "c", office.world.clock.now()))

        assert [office.send(job) for job in office.jobs()] == [True]
        assert [each.content for each in office.notifier.letters] == [content]

    def test_credits_are_told_as_they_are_by_then(self, office: Office) -> None:
        account = office.account().id
        with office.world.transactions.begin(account) as uow:
            uow.credits.grant(account, "gift", 7, "test")
            announce(uow, account, NewNotice(NoticeKind.CREDITS_LOW, "c", office.world.clock.now()))

        assert [office.send(job) for job in office.jobs()] == [True]
        assert [each.content for each in office.notifier.letters] == [CreditsLow(7)]
