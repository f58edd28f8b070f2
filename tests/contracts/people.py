"""Builders of contacts, consent and suppressions for contract suites."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs

from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
    Gender,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.addresses.phones import LineType, PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.pages import PageRequest
from tests.contracts.worlds import World

ANA = PhoneNumber("+306900000001")
BOB = PhoneNumber("+306900000002")
AT = datetime(2026, 11, 24, 1, 57, 11, 601000, tzinfo=UTC)
NOWHERE = ContactId(2_000_000_000)


def draft(phone: PhoneNumber = ANA, **changes: Any) -> ContactDraft:
    """A contact to be added."""
    plain = ContactDraft(
        phone=phone,
        country="GR",
        line_type=LineType.MOBILE,
        email=None,
        first_name=None,
        last_name=None,
        gender=None,
        birthday=None,
        tags=(),
        is_subscribed=True,
        unsubscribed_at=None,
        created_at=AT,
        updated_at=AT,
    )
    return attrs.evolve(plain, **changes)


def undecided(phone: PhoneNumber = ANA) -> ContactDraft:
    """A contact that no fact says anything of yet."""
    return draft(phone, is_subscribed=False)


def full(phone: PhoneNumber = ANA) -> ContactDraft:
    """A contact with a value in every field."""
    return draft(
        phone,
        line_type=LineType.LANDLINE,
        email="ana@example.com",
        first_name="Άννα",
        last_name="O'Neil\\ 100%",
        gender=Gender.FEMALE,
        birthday=date(1990, 5, 17),
        tags=("vip", "καφές"),
        is_subscribed=False,
        unsubscribed_at=AT - timedelta(days=1),
    )


def added(world: World, account: AccountId, *drafts: ContactDraft) -> list[Contact]:
    """Contacts as they are stored: whoever is subscribed has a fact that says so."""
    with world.transactions.begin(account) as uow:
        return [added_in(uow, account, each) for each in drafts]


def added_in(uow: ContactsUnitOfWork, account: AccountId, draft: ContactDraft) -> Contact:
    contact = uow.contacts.add(account, draft)
    if contact.is_subscribed:
        uow.consents.append(account, fact(contact.id))
    return contact


def phones(account: AccountId) -> tuple[PhoneNumber, PhoneNumber]:
    """Two numbers that no other test uses, for entries that all stores see."""
    return PhoneNumber(f"+30695{account:07d}"), PhoneNumber(f"+30685{account:07d}")


def fact(contact: ContactId, kind: ConsentType = ConsentType.GRANTED) -> ConsentFact:
    return ConsentFact(contact=contact, type=kind, source=ConsentSource.MANUAL, at=AT)


def entry(
    phone: PhoneNumber = ANA, reason: SuppressionReason = SuppressionReason.UNSUBSCRIBE
) -> SuppressionEntry:
    return SuppressionEntry(phone=phone, reason=reason, at=AT, note="n", source="s")


def suppress(world: World, account: AccountId, *entries: SuppressionEntry) -> list[bool]:
    with world.transactions.begin(account) as uow:
        return [uow.suppressions.add(account, each) is not None for each in entries]


def history(world: World, account: AccountId, contact: ContactId) -> Sequence[Any]:
    page = world.contact_queries.consents(account, contact, PageRequest(1, 100))
    assert page is not None
    return page.items
