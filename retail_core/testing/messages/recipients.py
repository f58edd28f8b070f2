"""The frozen recipients of batches in memory: made, cut in two, and taken out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import attrs

from retail_core.audiences.model import ADULT_AGE_YEARS, AudienceRules, years_before
from retail_core.contacts.model import Contact
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId
from retail_core.messages.model import Dropped, MergeGroup, Recipients
from retail_core.templates.rendering import Field
from retail_core.testing.contacts.suppressions import suppressions_of
from retail_core.testing.tables import MemoryTables, StoredBatch

MERGE_COLUMNS = ("first_names", "last_names", "emails")


def frozen_recipients(
    people: Sequence[Contact],
    first_seq: int,
    merge_fields: frozenset[Field],
    rules: AudienceRules,
) -> Recipients:
    """Ids, numbers, prices and the merge values that the text uses."""
    names = {
        Field.FIRST_NAME: [each.first_name for each in people],
        Field.LAST_NAME: [each.last_name for each in people],
        Field.EMAIL: [each.email for each in people],
    }
    return Recipients(
        seqs=range(first_seq, first_seq + len(people)),
        contacts=[each.id for each in people],
        phones=[int(each.phone[1:]) for each in people],
        credits_per_part=[rules.prices.credits_per_part(each.country) or 0 for each in people],
        first_names=names[Field.FIRST_NAME] if Field.FIRST_NAME in merge_fields else None,
        last_names=names[Field.LAST_NAME] if Field.LAST_NAME in merge_fields else None,
        emails=names[Field.EMAIL] if Field.EMAIL in merge_fields else None,
    )


def merge_columns(recipients: Recipients) -> list[Sequence[str | None]]:
    """The three columns of merge values, full of None where the text uses none."""
    nothing: Sequence[None] = (None,) * len(recipients)
    return [getattr(recipients, name) or nothing for name in MERGE_COLUMNS]


def without_person(recipients: Recipients, position: int) -> Recipients:
    """The same recipients, one of them nameless: only their place and their price stay."""
    blanked: dict[str, Any] = {
        name: [None if at == position else value for at, value in enumerate(column)]
        for name in ("contacts", "phones", *MERGE_COLUMNS)
        if (column := getattr(recipients, name)) is not None
    }
    return attrs.evolve(recipients, **blanked)


def grouped(batches: Iterable[StoredBatch]) -> list[MergeGroup]:
    """Groups of equal price and merge values, or of equal parts where the values are forgotten."""
    groups: Counter[tuple[int, str | None, str | None, str | None, int | None]] = Counter()
    for batch in batches:
        assert batch.recipients is not None, batch
        known = [batch.forgotten.get(seq) for seq in batch.recipients.seqs]
        groups.update(
            zip(
                batch.recipients.credits_per_part,
                *merge_columns(batch.recipients),
                [size and size.parts for size in known],
                strict=True,
            )
        )
    return [
        MergeGroup(price, first_name, last_name, email, count, parts)
        for (price, first_name, last_name, email, parts), count in groups.items()
    ]


def reason_to_drop(
    tables: MemoryTables,
    account: AccountId,
    contact_id: ContactId | None,
    phone: int | None,
    today: date,
) -> Dropped | None:
    """Why somebody must be left out at the hand-over; None if they may get their message."""
    stored = None if contact_id is None else tables.contacts.get(contact_id)
    if stored is None:
        return Dropped.ERASED
    contact = stored.contact
    if int(contact.phone[1:]) != phone:
        return Dropped.NUMBER_CHANGED
    if not contact.is_subscribed:
        return Dropped.OPTED_OUT
    too_young = reason_of_age(tables, account, contact, today)
    if too_young is not None:
        return too_young
    barred = suppressions_of(tables, (account, SYSTEM_ACCOUNT), contact.phone)
    return Dropped.SUPPRESSED if barred else None


def reason_of_age(
    tables: MemoryTables, account: AccountId, contact: Contact, today: date
) -> Dropped | None:
    """Whether marketing may not reach somebody of this age; None if it may."""
    if contact.birthday is not None:
        is_adult = contact.birthday <= years_before(today, ADULT_AGE_YEARS)
        return None if is_adult else Dropped.UNDER_AGE
    store = tables.accounts.get(account)
    return Dropped.AGE_UNKNOWN if store is not None and store.adults_only else None
