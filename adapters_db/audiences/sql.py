"""The audience as SQL: one predicate for preview, count, explanation and freeze."""

from collections.abc import Collection, Mapping, Sequence

import attrs
from sqlalchemy import ColumnElement, Connection, Integer, and_, case, cast, func, or_, select

from adapters_db.audiences.frequency_cap import capped
from adapters_db.audiences.lists import list_of, lists_of
from adapters_db.audiences.segments import SegmentSql
from adapters_db.contacts.list_conditions import (
    born_within,
    has_gender,
    is_suppressed,
    is_under_age,
    may_be_written_to,
    narrowed,
    on_one,
    system_narrowed,
)
from adapters_db.tables.campaigns import campaign
from adapters_db.tables.contacts import contact
from retail_core.audiences.errors import AudienceGone
from retail_core.audiences.model import (
    AudienceRules,
    AudienceSpec,
    BirthdayRange,
    ContactList,
    Exclusion,
    MatchRule,
)
from retail_core.audiences.segments import SegmentMoment
from retail_core.contacts.model import SEARCH_SEPARATOR
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import AccountId, CampaignId, ListId

Condition = ColumnElement[bool]


@attrs.frozen
class MeantAudience:
    """An audience whose lists were looked up: ready to be turned into conditions."""

    account: AccountId
    spec: AudienceSpec
    rules: AudienceRules
    lists: Mapping[ListId, ContactList]

    def base(self) -> Sequence[tuple[MatchRule, Condition]]:
        """What everybody who is meant must fit, as far as it is used; no condition is ever NULL."""
        spec, found = self.spec, []
        on_list = self._on_list()
        if on_list is not None:
            found.append((MatchRule.LIST, on_list))
        if spec.gender is not None:
            found.append((MatchRule.GENDER, has_gender(spec.gender)))
        if spec.age_group is not None:
            birthdays = BirthdayRange.of(spec.age_group, self.rules.today)
            found.append((MatchRule.AGE_GROUP, born_within(birthdays)))
        if spec.segment is not None:
            found.append((MatchRule.SEGMENT, self.segment_sql().condition(spec.segment.root)))
        return found

    def matched(self) -> list[Condition]:
        """The conditions of the base: the account's contacts that are meant."""
        return [contact.c.account_id == self.account, *(each for _, each in self.base())]

    def exclusions(self) -> Sequence[tuple[Exclusion, Condition]]:
        """Who is left out, in the order in which a reason counts; no condition is ever NULL."""
        rules, birthday = self.rules, contact.c.birthday
        conditions: list[tuple[Exclusion, Condition]] = [
            (Exclusion.NOT_SUBSCRIBED, contact.c.is_subscribed.is_(False)),
            (Exclusion.SUPPRESSED, is_suppressed(self.account)),
        ]
        if self.spec.exclude_lists:
            excluded = on_one(self.account, self.spec.exclude_lists, self.lists, rules.today)
            conditions.append((Exclusion.EXCLUDED_LISTS, excluded))
        conditions.append((Exclusion.UNDER_AGE, is_under_age(rules.today)))
        if rules.adults_only:
            conditions.append((Exclusion.AGE_UNKNOWN, birthday.is_(None)))
        if rules.cap is not None:
            had_enough = contact.c.id.in_(capped(self.account, rules.cap.at(rules.now)))
            conditions.append((Exclusion.FREQUENCY_CAP, had_enough))
        conditions.append((Exclusion.LANDLINE, contact.c.line_type == LineType.LANDLINE))
        if rules.prices.elsewhere is None:
            priced = contact.c.country.in_(list(rules.prices.by_country))
            conditions.append((Exclusion.COUNTRY_NOT_PRICED, ~priced))
        return conditions

    def recipients(self) -> list[Condition]:
        """The conditions of everybody who is meant and not left out."""
        left_out = [~condition for _, condition in self.exclusions()]
        base = [each for rule, each in self.base() if rule is not MatchRule.LIST]
        own = contact.c.account_id == self.account
        return [own, *self._on_list_among_recipients(), *base, *left_out]

    def segment_sql(self) -> SegmentSql:
        """How a segment is evaluated for this audience."""
        moment = SegmentMoment(self.rules.now, self.rules.today)
        return SegmentSql(self.account, moment, self.lists)

    def _on_list(self) -> Condition | None:
        today = self.rules.today
        if self.spec.system_list is not None:
            anybody = may_be_written_to(self.account, today, adults_only=self.rules.adults_only)
            return and_(*anybody, *system_narrowed(self.spec.system_list, today))
        if self.spec.own_list is not None:
            return on_one(self.account, [self.spec.own_list], self.lists, today)
        return None

    def _on_list_among_recipients(self) -> list[Condition]:
        """The list's own demands: that one may be written to is among the exclusions already."""
        today, own = self.rules.today, self.spec.own_list
        if self.spec.system_list is not None:
            return system_narrowed(self.spec.system_list, today)
        if own is None:
            return []
        if self.lists[own].is_filtered:
            return narrowed(self.lists[own].draft.filter, today)
        return [on_one(self.account, [own], self.lists, today)]


def meant(
    connection: Connection, account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> MeantAudience:
    """Look up what the audience names; nothing where it names nothing. Raises `AudienceGone`."""
    if spec.list_is_gone:
        raise AudienceGone
    lists: dict[ListId, ContactList] = {}
    if spec.lists:
        rows = connection.execute(lists_of(account, spec.lists))
        lists = {found.id: found for found in map(list_of, rows)}
    if len(lists) < len(spec.lists):
        raise AudienceGone
    if not are_all_known(connection, account, spec.segment_campaigns):
        raise AudienceGone
    return MeantAudience(account, spec, rules, lists)


def are_all_known(
    connection: Connection, account: AccountId, campaigns: Collection[CampaignId]
) -> bool:
    """Whether all these campaigns exist."""
    if not campaigns:
        return True
    found = connection.execute(
        select(func.count())
        .select_from(campaign)
        .where(campaign.c.account_id == account, campaign.c.id.in_(campaigns))
    ).scalar_one()
    return bool(found == len(campaigns))


def credits_per_part(rules: AudienceRules) -> ColumnElement[int]:
    """The price of a part to the contact's country."""
    elsewhere = rules.prices.elsewhere or 0
    if not rules.prices.by_country:
        return cast(elsewhere, Integer)
    return case(dict(rules.prices.by_country), value=contact.c.country, else_=elsewhere)


def is_named(name: str) -> Condition:
    """First or last name contains `name`, whatever its case and accents."""
    wanted = fold(name).replace(SEARCH_SEPARATOR, "")
    names = (func.split_part(contact.c.search_text, SEARCH_SEPARATOR, part) for part in (3, 4))
    return or_(*(folded.contains(wanted, autoescape=True) for folded in names))
