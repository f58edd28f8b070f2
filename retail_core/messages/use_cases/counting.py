"""Counting what became of messages, and telling the owner what that made of their campaign."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import CampaignTurn, ProgressChange
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.notices.jobs import announce_campaign
from retail_core.notices.model import NoticeKind

KINDS: Final[Mapping[CampaignTurn, NoticeKind]] = {
    CampaignTurn.COMPLETED: NoticeKind.CAMPAIGN_FINISHED,
    CampaignTurn.PAUSED: NoticeKind.CAMPAIGN_PAUSED,
}


def count(
    uow: MessagesUnitOfWork,
    account: AccountId,
    campaign: CampaignId,
    change: ProgressChange,
    now: datetime,
) -> None:
    """Add to the counters of a campaign. Locks its row."""
    turn = uow.progress.record(account, campaign, change, now)
    if turn is not None:
        announce_campaign(uow, account, campaign, KINDS[turn], now)


def pause_by_gateway(
    uow: MessagesUnitOfWork, account: AccountId, campaign: CampaignId, now: datetime
) -> None:
    """Pause a campaign because the gateway refuses us. Locks its row."""
    if uow.progress.pause_by_gateway(account, campaign, "gateway_refused", now):
        announce_campaign(uow, account, campaign, NoticeKind.CAMPAIGN_PAUSED, now)
