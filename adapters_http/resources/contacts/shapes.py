"""What contacts look like in JSON (docs/api.md, 2)."""

from datetime import date, datetime
from typing import TypedDict

from retail_core.contacts.model import (
    ConsentEvent,
    ConsentSource,
    ConsentType,
    Gender,
    Suppression,
    SuppressionReason,
)
from retail_core.contacts.queries import ContactView
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import AccountId


class Contact(TypedDict):
    """A customer of the store."""

    id: int
    ownerId: int
    phone: str | None
    lineType: LineType
    email: str | None
    firstName: str | None
    lastName: str | None
    gender: Gender | None
    birthday: date | None
    tags: tuple[str, ...]
    isSubscribed: bool
    unsubscribedAt: datetime | None
    isSuppressed: bool
    createdAt: datetime
    updatedAt: datetime


class Consent(TypedDict):
    """One step in the history of a contact's consent."""

    id: int
    contactId: int | None
    type: ConsentType
    channel: str
    purpose: str
    source: ConsentSource
    sourceRef: str | None
    consentText: str | None
    consentTextVersion: int | None
    statement: str | None
    ip: str | None
    userAgent: str | None
    locale: str | None
    actorUserId: int | None
    occurredAt: datetime
    createdAt: datetime


class SuppressionShape(TypedDict):
    """A number that is not sent to; none is left of one that was erased."""

    id: int
    ownerId: int
    phone: str | None
    reason: SuppressionReason
    note: str | None
    source: str | None
    contactId: int | None
    createdAt: datetime


def contact_shape(account: AccountId, view: ContactView) -> Contact:
    """Contact."""
    contact = view.contact
    return {
        "id": contact.id,
        "ownerId": account,
        "phone": contact.phone,
        "lineType": contact.line_type,
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "gender": contact.gender,
        "birthday": contact.birthday,
        "tags": contact.tags,
        "isSubscribed": contact.is_subscribed,
        "unsubscribedAt": contact.unsubscribed_at,
        "isSuppressed": view.is_suppressed,
        "createdAt": contact.created_at,
        "updatedAt": contact.updated_at,
    }


def consent_shape(event: ConsentEvent) -> Consent:
    """ConsentEvent."""
    return {
        "id": event.id,
        "contactId": event.contact,
        "type": event.type,
        "channel": "sms",
        "purpose": "marketing",
        "source": event.source,
        "sourceRef": event.source_ref,
        "consentText": event.text,
        "consentTextVersion": event.text_version,
        "statement": event.statement,
        "ip": event.ip,
        "userAgent": event.user_agent,
        "locale": event.locale,
        "actorUserId": event.actor,
        "occurredAt": event.at,
        "createdAt": event.created_at,
    }


def suppression_shape(entry: Suppression) -> SuppressionShape:
    """Suppression."""
    return {
        "id": entry.id,
        "ownerId": entry.account,
        "phone": entry.phone,
        "reason": entry.reason,
        "note": entry.note,
        "source": entry.source,
        "contactId": entry.contact,
        "createdAt": entry.created_at,
    }
