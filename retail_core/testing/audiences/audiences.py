"""Audiences in memory: the rules in plain words."""

from collections.abc import Sequence

import attrs

from retail_core.audiences.errors import AudienceGone
from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    SYSTEM_LISTS,
    AudienceCount,
    AudienceExplanation,
    AudienceMember,
    AudienceRules,
    AudienceSpec,
    AudienceStep,
    BirthdayRange,
    Exclusion,
    MatchRule,
    years_before,
)
from retail_core.audiences.segments import SegmentMoment, decided_by, holds, leaf_holds
from retail_core.contacts.model import SEARCH_SEPARATOR, Contact
from retail_core.contacts.queries import Reachable
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId
from retail_core.testing.audiences.frequency import had_enough
from retail_core.testing.audiences.lists import is_on, lists_of
from retail_core.testing.audiences.subjects import subject_of
from retail_core.testing.campaigns.campaigns import are_known
from retail_core.testing.contacts.contacts import view_of
from retail_core.testing.contacts.suppressions import suppressions_of
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryAudienceQueries:
    """`AudienceQueries` in memory."""

    database: MemoryDatabase

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        with self.database.transaction() as tables:
            reasons = [
                left_out(tables, account, contact, spec, rules)
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

    def explain(
        self, account: AccountId, spec: AudienceSpec, rules: AudienceRules, contact: ContactId
    ) -> AudienceExplanation | None:
        with self.database.transaction() as tables:
            _must_be_defined(tables, account, spec)
            stored = tables.contacts.get(contact)
            if stored is None or stored.account != account:
                return None
            base = _base(tables, account, stored.contact, spec, rules)
            out = _exclusions(tables, account, stored.contact, spec, rules)
        steps = [*base, *(AudienceStep(reason, applies) for reason, applies in out.items())]
        return AudienceExplanation(contact, steps)


def matched(
    tables: MemoryTables, account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[Contact]:
    """The account's contacts that fit list, gender, age and segment, by id."""
    _must_be_defined(tables, account, spec)
    found = [
        stored.contact
        for stored in tables.contacts
        if stored.account == account
        and all(step.holds for step in _base(tables, account, stored.contact, spec, rules))
    ]
    return sorted(found, key=lambda contact: contact.id)


def left_out(
    tables: MemoryTables,
    account: AccountId,
    contact: Contact,
    spec: AudienceSpec,
    rules: AudienceRules,
) -> Exclusion | None:
    """Why a contact is no recipient, if so: the first reason that applies."""
    reasons = _exclusions(tables, account, contact, spec, rules)
    return next((reason for reason, applies in reasons.items() if applies), None)


def recipients(
    tables: MemoryTables, account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[Contact]:
    """Everybody who matches and is not left out, by id."""
    return [
        contact
        for contact in matched(tables, account, spec, rules)
        if left_out(tables, account, contact, spec, rules) is None
    ]


def _must_be_defined(tables: MemoryTables, account: AccountId, spec: AudienceSpec) -> None:
    known = lists_of(tables, account)
    defined = spec.lists <= known.keys() and are_known(tables, account, spec.segment_campaigns)
    if spec.list_is_gone or not defined:
        raise AudienceGone


def _base(
    tables: MemoryTables,
    account: AccountId,
    contact: Contact,
    spec: AudienceSpec,
    rules: AudienceRules,
) -> list[AudienceStep]:
    """What they must fit, as far as it is used."""
    steps = []
    if spec.system_list is not None:
        on_it = _system_list(spec.system_list, rules).holds(view_of(tables, account, contact))
        steps.append(AudienceStep(MatchRule.LIST, on_it))
    if spec.own_list is not None:
        on_it = is_on(tables, account, spec.own_list, contact, rules.today)
        steps.append(AudienceStep(MatchRule.LIST, on_it))
    if spec.gender is not None:
        steps.append(AudienceStep(MatchRule.GENDER, contact.gender is spec.gender))
    if spec.age_group is not None:
        ages = BirthdayRange.of(spec.age_group, rules.today)
        steps.append(AudienceStep(MatchRule.AGE_GROUP, ages.holds(contact.birthday)))
    if spec.segment is not None:
        subject = subject_of(tables, account, contact, rules.today)
        moment = SegmentMoment(rules.now, rules.today)
        leaves = decided_by(spec.segment, lambda _, leaf: leaf_holds(leaf, subject, moment))
        held = holds(spec.segment, subject, moment)
        steps.append(AudienceStep(MatchRule.SEGMENT, held, leaves))
    return steps


def _system_list(name: str, rules: AudienceRules) -> Reachable:
    gender, group = SYSTEM_LISTS[name]
    ages = BirthdayRange.of(group, rules.today) if group else None
    return Reachable(
        adult_until=years_before(rules.today, ADULT_AGE_YEARS),
        adults_only=rules.adults_only,
        gender=gender,
        born_after=ages.after if ages else None,
        born_until=ages.until if ages else None,
    )


def _exclusions(
    tables: MemoryTables,
    account: AccountId,
    contact: Contact,
    spec: AudienceSpec,
    rules: AudienceRules,
) -> dict[Exclusion, bool]:
    """Every reason that is in force and whether it applies, in the order in which they count."""
    born, adult_until = contact.birthday, years_before(rules.today, ADULT_AGE_YEARS)
    barred = suppressions_of(tables, (account, SYSTEM_ACCOUNT), contact.phone)
    found = {
        Exclusion.NOT_SUBSCRIBED: not contact.is_subscribed,
        Exclusion.SUPPRESSED: bool(barred),
    }
    if spec.exclude_lists:
        found[Exclusion.EXCLUDED_LISTS] = any(
            is_on(tables, account, each, contact, rules.today) for each in spec.exclude_lists
        )
    found[Exclusion.UNDER_AGE] = born is not None and born > adult_until
    if rules.adults_only:
        found[Exclusion.AGE_UNKNOWN] = born is None
    if rules.cap is not None:
        cap = rules.cap.at(rules.now)
        found[Exclusion.FREQUENCY_CAP] = had_enough(tables, account, contact.id, cap)
    found[Exclusion.LANDLINE] = contact.line_type is LineType.LANDLINE
    if rules.prices.elsewhere is None:
        price = rules.prices.credits_per_part(contact.country)
        found[Exclusion.COUNTRY_NOT_PRICED] = price is None
    return found


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
