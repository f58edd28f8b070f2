"""Questions about an audience on PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import attrs
from sqlalchemy import case, func, literal, select

from adapters_db.audiences.sql import MeantAudience, is_named, meant
from adapters_db.connection.reads import Reads
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import (
    AudienceCount,
    AudienceExplanation,
    AudienceMember,
    AudienceRules,
    AudienceSpec,
    AudienceStep,
    Exclusion,
    LeafVerdict,
    MatchRule,
)
from retail_core.audiences.segments import decided_by
from retail_core.kernel.ids import AccountId, ContactId

_LITE = (
    contact.c.id,
    contact.c.phone,
    contact.c.email,
    contact.c.first_name,
    contact.c.last_name,
    contact.c.gender,
    contact.c.birthday,
)


@attrs.frozen
class SqlAudienceQueries:
    """`AudienceQueries` on PostgreSQL."""

    reads: Reads

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        """Everybody who matches, each under the first reason that applies."""
        with self.reads.account(account) as connection:
            audience = meant(connection, account, spec, rules)
            reasons = ((condition, reason.value) for reason, condition in audience.exclusions())
            reason = case(*reasons).label("reason")
            statement = select(reason, func.count()).where(*audience.matched()).group_by("reason")
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
        with self.reads.account(account) as connection:
            conditions = meant(connection, account, spec, rules).recipients()
            if name:
                conditions.append(is_named(name))
            members = select(*_LITE).where(*conditions).order_by(contact.c.id).limit(members_max)
            total = connection.execute(select(func.count()).where(*conditions)).scalar_one()
            rows = connection.execute(members)
            return total, [AudienceMember(*row) for row in rows]

    def explain(
        self, account: AccountId, spec: AudienceSpec, rules: AudienceRules, contact_id: ContactId
    ) -> AudienceExplanation | None:
        """Each rule is a column of one row, so it is the very predicate that freezes."""
        with self.reads.account(account) as connection:
            audience = meant(connection, account, spec, rules)
            ordered: list[tuple[MatchRule | Exclusion, Any]] = [
                *audience.base(),
                *audience.exclusions(),
            ]
            leaves = list(_leaves(audience))
            statement = select(
                literal(1), *(each for _, each in ordered), *(each for _, each in leaves)
            ).where(contact.c.account_id == account, contact.c.id == contact_id)
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        held = [bool(value) for value in row[1:]]
        truth = dict(zip((path for path, _ in leaves), held[len(ordered) :], strict=True))
        steps = [
            AudienceStep(rule, holds, _deciding(spec, truth) if rule is MatchRule.SEGMENT else ())
            for (rule, _), holds in zip(ordered, held[: len(ordered)], strict=True)
        ]
        return AudienceExplanation(contact_id, steps)


def _leaves(audience: MeantAudience) -> Sequence[tuple[str, Any]]:
    if audience.spec.segment is None:
        return []
    sql = audience.segment_sql()
    return [(path, sql.leaf(leaf)) for path, leaf in audience.spec.segment.leaves()]


def _deciding(spec: AudienceSpec, truth: dict[str, bool]) -> tuple[LeafVerdict, ...]:
    assert spec.segment is not None
    return decided_by(spec.segment, lambda path, _: truth[path])
