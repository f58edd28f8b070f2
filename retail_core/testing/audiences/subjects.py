"""Contacts in memory as a segment sees them."""

from datetime import date, datetime

from retail_core.audiences.model import GRANTING
from retail_core.audiences.segments import SegmentSubject
from retail_core.contacts.model import Contact
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.messages.model import MessageKind, MessageState
from retail_core.testing.audiences.lists import is_on, lists_of
from retail_core.testing.contacts.contacts import consents_of
from retail_core.testing.tables import MemoryTables, StoredMessage


def subject_of(
    tables: MemoryTables, account: AccountId, contact: Contact, today: date
) -> SegmentSubject:
    """All that a leaf may ask about."""
    granted = [
        event.at for event in consents_of(tables, account, contact.id) if event.type in GRANTING
    ]
    return SegmentSubject(
        gender=contact.gender,
        birthday=contact.birthday,
        tags=frozenset(contact.tags),
        lists=frozenset(
            each
            for each in lists_of(tables, account)
            if is_on(tables, account, each, contact, today)
        ),
        subscribed_at=max(granted, default=None),
        created_at=contact.created_at,
        last_messaged_at=max(_handed_over(tables, account, contact.id), default=None),
        engagement=tuple(
            fact
            for (owner, who, *_), fact in tables.engagement_facts.items()
            if (owner, who) == (account, contact.id)
        ),
    )


def _handed_over(tables: MemoryTables, account: AccountId, contact: ContactId) -> list[datetime]:
    """When messages of campaigns and automations went to the gateway for them."""
    of_campaigns = [
        _handed_over_at(row)
        for row in tables.messages
        if (row.account, row.contact) == (account, contact)
    ]
    of_automations = [
        row.submitted_at
        for row in tables.singles
        if (row.account, row.single.contact) == (account, contact)
        and row.single.kind is MessageKind.AUTOMATION
        and row.state is not MessageState.CANCELLED
        and (row.state is not MessageState.FAILED or row.sent_at is not None)
    ]
    return [at for at in of_campaigns + of_automations if at is not None]


def _handed_over_at(row: StoredMessage) -> datetime | None:
    """None for one that was refused or never went."""
    if row.state is MessageState.UNKNOWN:
        return row.updated_at
    return row.sent_at or row.delivered_at
