"""What segments ask about a contact beside its own row: consent, messages, deeds.

Nothing is written for it when messages go out: the last hand-over is looked up where it stands
already, in the rows of messages, by the unique key of contact and campaign.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, true

from adapters_db.tables.audiences import engagement_fact
from adapters_db.tables.campaigns import campaign, message
from adapters_db.tables.contacts import consent_event, contact
from adapters_db.tables.messages import single_message
from retail_core.audiences.model import GRANTING, EngagementKind
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import MessageKind, MessageState

FINISH_SLACK: Final = timedelta(days=1)
"""What was in the gateway's hands when a campaign was cancelled settles within this time."""

When = Callable[[ColumnElement[datetime]], ColumnElement[bool]]
"""A condition on the time of a fact."""


def ever(_at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whenever it was."""
    return true()


def granted(account: AccountId, when: When) -> ColumnElement[bool]:
    """Whether there is a granting event of consent at such a time."""
    return exists().where(
        consent_event.c.account_id == account,
        consent_event.c.contact_id == contact.c.id,
        consent_event.c.type.in_(sorted(GRANTING, key=str)),
        when(consent_event.c.occurred_at),
    )


def messaged(
    account: AccountId, when: When, not_before: datetime | None = None
) -> ColumnElement[bool]:
    """Whether a message of a campaign or an automation was handed over at such a time.

    `not_before`: when the time in `when` begins, so that campaigns that ended before are not read.
    """
    handed_over = campaign_handed_over_at()
    of_campaign = [
        campaign.c.account_id == account,
        message.c.campaign_id == campaign.c.id,
        message.c.contact_id == contact.c.id,
        handed_over.is_not(None),
        when(handed_over),
    ]
    if not_before is not None:
        of_campaign.append(
            or_(
                campaign.c.finished_at.is_(None),
                campaign.c.finished_at > not_before - FINISH_SLACK,
            )
        )
    of_automation = exists().where(
        single_message.c.account_id == account,
        single_message.c.contact_id == contact.c.id,
        single_message.c.kind == MessageKind.AUTOMATION,
        single_message.c.submitted_at.is_not(None),
        or_(
            single_message.c.state.not_in([MessageState.FAILED, MessageState.CANCELLED]),
            single_message.c.sent_at.is_not(None),
        ),
        when(single_message.c.submitted_at),
    )
    return or_(exists().where(*of_campaign), of_automation)


def campaign_handed_over_at() -> ColumnElement[datetime]:
    """When a campaign's message went to the gateway; NULL if it was refused or never went."""
    return case(
        (message.c.state == MessageState.UNKNOWN, message.c.updated_at),
        else_=func.coalesce(message.c.sent_at, message.c.delivered_at),
    )


def engaged(
    account: AccountId, kind: EngagementKind, campaigns: tuple[int, ...], since: datetime | None
) -> ColumnElement[bool]:
    """Whether somebody did such a deed: about one of the campaigns (any if none), not before."""
    conditions = [
        engagement_fact.c.account_id == account,
        engagement_fact.c.contact_id == contact.c.id,
        engagement_fact.c.kind == kind,
    ]
    if campaigns:
        conditions.append(engagement_fact.c.campaign_id.in_(campaigns))
    if since is not None:
        conditions.append(engagement_fact.c.at >= since)
    return exists().where(and_(*conditions))
