"""The counters of campaigns, and how a campaign ends or pauses by what they say."""

from datetime import datetime

import attrs
from sqlalchemy import Connection, case, literal

from adapters_db.campaigns import by_id, change_of
from adapters_db.tables.campaigns import campaign
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import ProgressChange


@attrs.frozen
class SqlCampaignProgress:
    """`CampaignProgress`: counters by addition, in one statement."""

    connection: Connection

    def record(
        self, account: AccountId, campaign_id: CampaignId, change: ProgressChange, now: datetime
    ) -> None:
        """Add; nobody waiting any more completes the campaign."""
        columns = campaign.c
        queued = columns.queued + change.queued
        ends = queued == literal(0)
        running = columns.state.in_([CampaignState.SENDING, CampaignState.PAUSED])
        completed = literal(CampaignState.COMPLETED, columns.state.type)
        settled = change.captured + change.released
        self.connection.execute(
            change_of(account, campaign_id).values(
                queued=queued,
                sent=columns.sent + change.sent,
                delivered=columns.delivered + change.delivered,
                failed=columns.failed + change.failed,
                unknown=columns.unknown + change.unknown,
                cancelled=columns.cancelled + change.cancelled,
                credits_held=columns.credits_held - settled,
                credits_captured=columns.credits_captured + change.captured,
                credits_released=columns.credits_released + change.released,
                state=case((ends & running, completed), else_=columns.state),
                finished_at=case((ends & running, now), else_=columns.finished_at),
                updated_at=now,
            )
        )

    def lock_unless_cancelled(self, account: AccountId, campaign_id: CampaignId) -> bool:
        """As strong as an update: two who both go on to pause it must not block each other."""
        locked = by_id(account, campaign_id).with_only_columns(campaign.c.state)
        state = self.connection.execute(locked.with_for_update(key_share=True)).scalar()
        return state is not None and state is not CampaignState.CANCELLED

    def pause_by_gateway(
        self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime
    ) -> None:
        """Nothing more goes out until the owner resumes."""
        self.connection.execute(
            change_of(account, campaign_id)
            .where(campaign.c.state == CampaignState.SENDING)
            .values(state=CampaignState.PAUSED, status_reason=reason, updated_at=now)
        )
