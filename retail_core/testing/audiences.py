"""Audiences in memory: the rules in plain words."""

from collections.abc import Sequence

import attrs

from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    AudienceCount,
    AudienceMember,
    AudienceRules,
    AudienceSpec,
    BirthdayRange,
    Exclusion,
    years_before,
)
from retail_core.contacts.model import SEARCH_SEPARATOR, Contact
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.kernel.phones import LineType
from retail_core.testing.contacts import suppressions_of
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryAudienceQueries:
    """`AudienceQueries` in memory."""

    database: MemoryDatabase

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        with self.database.transaction() as tables:
            reasons = [
                left_out(tables, account, contact, rules)
                for contact in matched(tables, account, spec, rules)
            ]
        return AudienceCount(len(reasons), {reason: reasons.count(reason) for reason in Exclusion})

    def members(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        *,
        name: str | None,
        members_max: int,
    ) -> tuple[int, Sequence[AudienceMember]]:
        with self.database.transaction() as tables:
            found = [
                contact
                for contact in recipients(tables, account, spec, rules)
                if _is_named(contact, name or "")
            ]
        return len(found), [_member(contact) for contact in found[:members_max]]


def matched(
    tables: MemoryTables, account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[Contact]:
    """The account's contacts that fit list, gender and age, by id."""
    ages = [BirthdayRange.of(group, rules.today) for group in spec.age_groups]
    found = [
        stored.contact
        for stored in tables.contacts
        if stored.account == account
        and all(stored.contact.gender is gender for gender in spec.genders)
        and all(age.holds(stored.contact.birthday) for age in ages)
    ]
    return sorted(found, key=lambda contact: contact.id)


def left_out(
    tables: MemoryTables, account: AccountId, contact: Contact, rules: AudienceRules
) -> Exclusion | None:
    """Why a contact is no recipient, if so: the first reason that applies."""
    born, adult_until = contact.birthday, years_before(rules.today, ADULT_AGE_YEARS)
    barred = suppressions_of(tables, (account, SYSTEM_ACCOUNT), contact.phone)
    reasons = {
        Exclusion.NOT_SUBSCRIBED: not contact.is_subscribed,
        Exclusion.SUPPRESSED: bool(barred),
        Exclusion.UNDER_AGE: born is not None and born > adult_until,
        Exclusion.AGE_UNKNOWN: rules.adults_only and born is None,
        Exclusion.LANDLINE: contact.line_type is LineType.LANDLINE,
        Exclusion.COUNTRY_NOT_PRICED: rules.prices.credits_per_part(contact.country) is None,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def recipients(
    tables: MemoryTables, account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[Contact]:
    """Everybody who matches and is not left out, by id."""
    return [
        contact
        for contact in matched(tables, account, spec, rules)
        if left_out(tables, account, contact, rules) is None
    ]


def _is_named(contact: Contact, name: str) -> bool:
    folded = contact.search_text.split(SEARCH_SEPARATOR)[2:]
    return any(fold(name) in each for each in folded)


def _member(contact: Contact) -> AudienceMember:
    return AudienceMember(
        contact.id,
        contact.phone,
        contact.email,
        contact.first_name,
        contact.last_name,
        contact.gender,
        contact.birthday,
    )
