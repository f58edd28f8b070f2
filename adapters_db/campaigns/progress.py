"""The counters of campaigns, and how a campaign ends or pauses by what they say."""

from datetime import datetime

import attrs
from sqlalchemy import CTE, ColumnElement, Connection, case, literal, null, select

from adapters_db.campaigns.campaigns import by_id, change_of
from adapters_db.tables.campaigns import campaign
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import (
    FAILURE_RATE_PERCENT_MAX,
    FAILURE_RATE_REASON,
    FAILURE_RATE_SETTLED_MIN,
    CampaignTurn,
    ProgressChange,
)

_COMPLETED = literal(CampaignState.COMPLETED, campaign.c.state.type)
_PAUSED = literal(CampaignState.PAUSED, campaign.c.state.type)
_TURNS = {
    (CampaignState.SENDING, CampaignState.PAUSED): CampaignTurn.PAUSED,
    (CampaignState.SENDING, CampaignState.COMPLETED): CampaignTurn.COMPLETED,
    (CampaignState.PAUSED, CampaignState.COMPLETED): CampaignTurn.COMPLETED,
}


@attrs.frozen
class SqlCampaignProgress:
    """`CampaignProgress`: counters by addition, in one statement."""

    connection: Connection

    def record(
        self, account: AccountId, campaign_id: CampaignId, change: ProgressChange, now: datetime
    ) -> CampaignTurn | None:
        """Add; what the sums say ends or pauses the campaign in the same statement."""
        columns = campaign.c
        before = _locked(account, campaign_id)
        queued = columns.queued + change.queued
        failed = columns.failed + change.failed
        settled = columns.sent + columns.delivered + failed + change.sent + change.delivered
        paid = change.captured + change.released
        ends = (queued == 0) & columns.state.in_([CampaignState.SENDING, CampaignState.PAUSED])
        pauses = (columns.state == CampaignState.SENDING) & _fails_too_often(
            settled - columns.settled_at_resume, failed - columns.failed_at_resume
        )
        turned = self.connection.execute(
            change_of(account, campaign_id)
            .where(columns.id == before.c.id)
            .values(
                queued=queued,
                sent=columns.sent + change.sent,
                delivered=columns.delivered + change.delivered,
                failed=failed,
                unknown=columns.unknown + change.unknown,
                cancelled=columns.cancelled + change.cancelled,
                credits_held=columns.credits_held - paid,
                credits_captured=columns.credits_captured + change.captured,
                credits_released=columns.credits_released + change.released,
                state=case((ends, _COMPLETED), (pauses, _PAUSED), else_=columns.state),
                status_reason=case(
                    (ends, null()), (pauses, FAILURE_RATE_REASON), else_=columns.status_reason
                ),
                finished_at=case((ends, now), else_=columns.finished_at),
                updated_at=now,
            )
            .returning(columns.state, before.c.state)
        ).one_or_none()
        return None if turned is None else _TURNS.get((turned[1], turned[0]))

    def lock_unless_cancelled(self, account: AccountId, campaign_id: CampaignId) -> bool:
        """As strong as an update: two who both go on to pause it must not block each other."""
        locked = by_id(account, campaign_id).with_only_columns(campaign.c.state)
        state = self.connection.execute(locked.with_for_update(key_share=True)).scalar()
        return state is not None and state is not CampaignState.CANCELLED

    def pause_by_gateway(
        self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime
    ) -> bool:
        """Nothing more goes out until the owner resumes."""
        paused = self.connection.execute(
            change_of(account, campaign_id)
            .where(campaign.c.state == CampaignState.SENDING)
            .values(state=CampaignState.PAUSED, status_reason=reason, updated_at=now)
        )
        return paused.rowcount == 1


def _locked(account: AccountId, campaign_id: CampaignId) -> CTE:
    """The state before the change, in the statement that changes it."""
    columns = campaign.c
    return (
        select(columns.id, columns.state)
        .where(columns.account_id == account, columns.id == campaign_id)
        .with_for_update(key_share=True)
        .cte("before")
    )


def _fails_too_often(
    settled: ColumnElement[int], failed: ColumnElement[int]
) -> ColumnElement[bool]:
    """The core's rule of the same name."""
    enough = settled >= FAILURE_RATE_SETTLED_MIN
    return enough & (failed * 100 > settled * FAILURE_RATE_PERCENT_MAX)
