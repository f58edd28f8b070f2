"""The audience as SQL: one predicate for preview, count and freeze."""

from collections.abc import Sequence

import attrs
from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, or_, select

from adapters_db.reads import Reads
from adapters_db.tables.contacts import contact, suppression
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
from retail_core.contacts.model import SEARCH_SEPARATOR
from retail_core.kernel.folding import fold
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.kernel.phones import LineType


def matched(
    account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[ColumnElement[bool]]:
    """The conditions of the base: the account's contacts that fit list, gender and age."""
    conditions = [contact.c.account_id == account]
    conditions += [contact.c.gender == gender for gender in spec.genders]
    for group in spec.age_groups:
        birthdays = BirthdayRange.of(group, rules.today)
        conditions.append(contact.c.birthday <= birthdays.until)
        if birthdays.after is not None:
            conditions.append(contact.c.birthday > birthdays.after)
    return conditions


def exclusions(
    account: AccountId, rules: AudienceRules
) -> Sequence[tuple[Exclusion, ColumnElement[bool]]]:
    """Who is left out, in the order in which a reason counts; no condition is ever NULL."""
    adult_until = years_before(rules.today, ADULT_AGE_YEARS)
    birthday = contact.c.birthday
    conditions: list[tuple[Exclusion, ColumnElement[bool]]] = [
        (Exclusion.NOT_SUBSCRIBED, contact.c.is_subscribed.is_(False)),
        (Exclusion.SUPPRESSED, is_suppressed(account)),
        (Exclusion.UNDER_AGE, and_(birthday.is_not(None), birthday > adult_until)),
    ]
    if rules.adults_only:
        conditions.append((Exclusion.AGE_UNKNOWN, birthday.is_(None)))
    conditions.append((Exclusion.LANDLINE, contact.c.line_type == LineType.LANDLINE))
    if rules.prices.elsewhere is None:
        priced = contact.c.country.in_(list(rules.prices.by_country))
        conditions.append((Exclusion.COUNTRY_NOT_PRICED, ~priced))
    return conditions


def recipients(
    account: AccountId, spec: AudienceSpec, rules: AudienceRules
) -> list[ColumnElement[bool]]:
    """The conditions of everybody who matches and is not left out."""
    left_out = [~condition for _, condition in exclusions(account, rules)]
    return matched(account, spec, rules) + left_out


def is_suppressed(account: AccountId) -> ColumnElement[bool]:
    """Whether the number is barred by the store, or by the operator for all stores."""
    return exists().where(
        suppression.c.account_id.in_([account, SYSTEM_ACCOUNT]),
        suppression.c.phone == contact.c.phone,
    )


def credits_per_part(rules: AudienceRules) -> ColumnElement[int]:
    """The price of a part to the contact's country."""
    elsewhere = rules.prices.elsewhere or 0
    if not rules.prices.by_country:
        return cast(elsewhere, Integer)
    return case(dict(rules.prices.by_country), value=contact.c.country, else_=elsewhere)


@attrs.frozen
class SqlAudienceQueries:
    """`AudienceQueries` on PostgreSQL."""

    reads: Reads

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        """Everybody who matches, each under the first reason that applies."""
        ordered = exclusions(account, rules)
        reason = case(*((condition, reason.value) for reason, condition in ordered))
        statement = (
            select(reason.label("reason"), func.count())
            .where(*matched(account, spec, rules))
            .group_by("reason")
        )
        with self.reads.account(account) as connection:
            rows = connection.execute(statement).all()
        excluded = dict.fromkeys(Exclusion, 0)
        excluded |= {Exclusion(word): number for word, number in rows if word is not None}
        return AudienceCount(sum(number for _, number in rows), excluded)

    def members(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        *,
        name: str | None,
        members_max: int,
    ) -> tuple[int, Sequence[AudienceMember]]:
        """The number of recipients and the first of them by id."""
        conditions = recipients(account, spec, rules)
        if name:
            conditions.append(_named(name))
        members = (
            select(
                contact.c.id,
                contact.c.phone,
                contact.c.email,
                contact.c.first_name,
                contact.c.last_name,
                contact.c.gender,
                contact.c.birthday,
            )
            .where(*conditions)
            .order_by(contact.c.id)
            .limit(members_max)
        )
        with self.reads.account(account) as connection:
            total = connection.execute(select(func.count()).where(*conditions)).scalar_one()
            rows = connection.execute(members)
            return total, [AudienceMember(*row) for row in rows]


def _named(name: str) -> ColumnElement[bool]:
    """First or last name contains `name`, whatever its case and accents."""
    wanted = fold(name).replace(SEARCH_SEPARATOR, "")
    names = (func.split_part(contact.c.search_text, SEARCH_SEPARATOR, part) for part in (3, 4))
    return or_(*(folded.contains(wanted, autoescape=True) for folded in names))
