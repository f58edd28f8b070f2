"""How a notice gets on its way: a row and a nudge, in the transaction of its cause."""

from datetime import datetime

from retail_core.kernel.ids import AccountId, CampaignId, NoticeId
from retail_core.kernel.jobs import Job
from retail_core.notices.model import NewNotice, NoticeKind
from retail_core.notices.ports import Announcing

SEND_NOTICE = "send_notice"
SWEEP_NOTICES = "sweep_notices"
NOTICE = "noticeId"


def announce(uow: Announcing, account: AccountId, notice: NewNotice) -> None:
    """Let an owner hear of something; a cause that was announced before changes nothing."""
    made = uow.notices.add(account, notice)
    if made is not None:
        uow.jobs.add(send_notice(account, made))


def announce_campaign(
    uow: Announcing, account: AccountId, campaign: CampaignId, kind: NoticeKind, now: datetime
) -> None:
    """Tell what became of a campaign. It may pause again and again, each time for a new cause."""
    at = f":{now.isoformat()}" if kind is NoticeKind.CAMPAIGN_PAUSED else ""
    announce(uow, account, NewNotice(kind, f"campaign:{campaign}:{kind}{at}", now, campaign))


def send_notice(account: AccountId, notice: NoticeId) -> Job:
    """A notice waits to be handed over."""
    return Job(SEND_NOTICE, f"{SEND_NOTICE}:{notice}", {NOTICE: notice}, account)


def send_nothing(token: str) -> Job:
    """A nudge about no notice, for whom nobody must tell from one that has an account."""
    return Job(SEND_NOTICE, f"{SEND_NOTICE}:{token}")


def read_send_notice(job: Job) -> tuple[AccountId, NoticeId] | None:
    """Whose notice, and which; None where there is none."""
    notice = job.payload.get(NOTICE)
    if job.account is None or not isinstance(notice, int):
        return None
    return job.account, NoticeId(notice)
