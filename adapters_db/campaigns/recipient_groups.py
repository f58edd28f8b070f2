"""The recipients of an audience grouped in the database, read while they are counted."""

from collections.abc import Iterator
from typing import Any, Final

import attrs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    type_coerce,
)

from adapters_db.audiences.sql import meant
from adapters_db.connection.reads import Reads
from adapters_db.messages.batches.merge_groups import shape_of
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.campaigns.model import RecipientGroup
from retail_core.kernel.ids import AccountId
from retail_core.kernel.time.zones import NORTH_AMERICA, PLACE_DIGITS
from retail_core.templates.rendering import MERGE_FIELDS, Field

GROUPS_PER_FETCH: Final = 5_000
_COLUMNS: Final = dict(
    zip(MERGE_FIELDS, (contact.c.first_name, contact.c.last_name, contact.c.email), strict=True)
)


@attrs.frozen
class SqlRecipientGroups:
    """`RecipientGroups` on PostgreSQL."""

    reads: Reads

    def of_audience(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        shaped: frozenset[Field] = frozenset(),
        *,
        by_area: bool = False,
    ) -> Iterator[RecipientGroup]:
        """One GROUP BY, behind a cursor of the server."""
        values = {field: _value(field, field in shaped) for field in merge_fields & _COLUMNS.keys()}
        nothing = type_coerce(null(), Text)
        groups = select(
            contact.c.country,
            *(values.get(field, nothing) for field in MERGE_FIELDS),
            func.count(),
            func.min(contact.c.id),
            area := _area() if by_area else type_coerce(literal(""), Text),
        ).group_by(contact.c.country, *values.values(), *([area] if by_area else []))
        options = {"yield_per": GROUPS_PER_FETCH}
        with self.reads.account(account) as connection:
            statement = groups.where(*meant(connection, account, spec, rules).recipients())
            for row in connection.execute(statement, execution_options=options):
                country, first_name, last_name, email, number, lowest, place = tuple(row)
                yield RecipientGroup(country, first_name, last_name, email, number, lowest, place)


def _value(field: Field, is_shaped: bool) -> ColumnElement[Any]:  # noqa: FBT001 - by position
    column = _COLUMNS[field]
    return literal_column(shape_of(str(column)), Text) if is_shaped else column


def _area() -> ColumnElement[str]:
    """The first digits of a North American number; of any other, none."""
    digits = cast(type_coerce(contact.c.phone, BigInteger), Text)
    is_american = digits.startswith(NORTH_AMERICA)
    return case((is_american, func.left(digits, PLACE_DIGITS)), else_="")
