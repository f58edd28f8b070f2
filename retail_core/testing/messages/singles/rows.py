"""How a single message lies in memory."""

from datetime import datetime
from uuid import UUID

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    ProviderId,
)
from retail_core.messages.model import (
    ClaimedSingle,
    Dropped,
    MessageState,
    NewSingle,
)


@attrs.frozen
class StoredSingle:
    """A single message; number and text are None once its contact was deleted."""

    account: AccountId
    single: NewSingle
    phone: PhoneNumber | None = attrs.field(repr=False)
    text: str | None = attrs.field(repr=False)
    created_at: datetime
    updated_at: datetime
    state: MessageState = MessageState.QUEUED
    holds: bool = True
    not_before: datetime | None = attrs.field(
        default=attrs.Factory(lambda self: self.single.not_before, takes_self=True)
    )
    tries: int = 0
    ref: UUID | None = None
    lease_until: datetime | None = None
    provider_id: ProviderId | None = None
    reported_id: str | None = None
    error_code: str | None = None
    error: str | None = None
    submitted_at: datetime | None = None
    look_up_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None


def claimed_single(row: StoredSingle, dropped: Dropped | None) -> ClaimedSingle:
    """The message in hand."""
    single = row.single
    return ClaimedSingle(
        number=single.number,
        phone=row.phone or PhoneNumber("+None"),
        sender=single.sender,
        text=row.text or "",
        credits=single.credits,
        reason=single.reason,
        tries=row.tries,
        dropped=dropped,
        kind=single.kind,
        expires_at=single.expires_at,
    )
