"""From rows of the message log to records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import cattrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AutomationId,
    CampaignId,
    ContactId,
    MessageNumber,
    ProviderId,
)
from retail_core.messages.composing import compiled
from retail_core.messages.model import MessageKind, MessageState, SendingPlan
from retail_core.messages.queries import MessageRecord
from retail_core.templates.encoding import Encoding

_converter = cattrs.Converter()


@attrs.frozen
class Origin:
    """What all messages of a campaign have in common."""

    plan: SendingPlan
    finished_at: datetime | None


def origin(row: Any) -> Origin:  # noqa: ANN401 - a row by name
    """From a row of a campaign."""
    return Origin(_converter.structure(row.plan, SendingPlan), row.finished_at)


def record(
    row: Any,  # noqa: ANN401 - a row by name
    origins: Mapping[int, Origin],
) -> MessageRecord:
    """A campaign's message needs its campaign's plan; a single one has all it needs."""
    kind = MessageKind(row.kind)
    own = origins[row.campaign_id] if kind is MessageKind.CAMPAIGN else None
    plan = None if own is None else own.plan
    encoding, parts, credits = _size(row, plan)
    ended_at = own.finished_at if own and row.state == MessageState.CANCELLED else None
    return MessageRecord(
        number=MessageNumber(row.number),
        kind=kind,
        campaign=None if row.campaign_id is None else CampaignId(row.campaign_id),
        automation=None if row.automation_id is None else AutomationId(row.automation_id),
        contact=None if row.contact_id is None else ContactId(row.contact_id),
        phone=None if row.phone is None else PhoneNumber(f"+{row.phone}"),
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        contact_first_name=row.contact_first_name,
        contact_last_name=row.contact_last_name,
        state=MessageState(row.state),
        encoding=None if encoding is None else Encoding(encoding),
        parts=parts,
        credits=credits,
        provider_id=None if row.provider_id is None else ProviderId(row.provider_id),
        error_code=row.error_code,
        error=row.error,
        sender=row.sender if plan is None else plan.sender,
        plan=plan,
        text=row.text,
        created_at=row.created_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        updated_at=row.updated_at or ended_at or row.created_at,
    )


def _size(
    row: Any,  # noqa: ANN401 - a row by name
    plan: SendingPlan | None,
) -> tuple[int | None, int | None, int | None]:
    """Encoding, parts and credits; of those cancelled while they waited, made again."""
    if plan is None or row.parts is not None or row.state != MessageState.CANCELLED:
        return row.encoding, row.parts, row.credits
    if row.size is not None:
        encoding, parts, _ = row.size
    else:
        size = compiled(plan).size(row.first_name, row.last_name, row.email)
        encoding, parts = size.encoding, size.parts
    return encoding, parts, parts * row.credits_per_part
