"""Freezing an audience: one INSERT ... SELECT that puts every recipient in exactly one batch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    SmallInteger,
    Subquery,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.sql.dml import ReturningInsert

from adapters_db.audiences.sql import MeantAudience, credits_per_part
from adapters_db.tables.campaigns import send_batch
from adapters_db.tables.contacts import contact
from retail_core.kernel.ids import CampaignId
from retail_core.templates.rendering import Field

_MERGE_COLUMNS = {
    Field.FIRST_NAME: (contact.c.first_name, "first_names"),
    Field.LAST_NAME: (contact.c.last_name, "last_names"),
    Field.EMAIL: (contact.c.email, "emails"),
}


def freeze_statement(
    campaign: CampaignId,
    meant: MeantAudience,
    merge_fields: frozenset[Field],
    batch_messages_max: int,
) -> ReturningInsert[int]:
    """Number the recipients by id and cut them into batches; returns the size of each.

    Contacts have unique numbers per account, so each number is in one batch as well. All arrays of
    a batch are collected from the same rows, so they agree in their order, whichever it is.
    """
    used = [_MERGE_COLUMNS[field] for field in sorted(merge_fields)]
    account = meant.account
    audience = _numbered(meant, [column for column, _ in used])
    seq = audience.c.seq
    no = cast(seq // batch_messages_max, Integer)
    turn = select(func.first_free_turn(account)).scalar_subquery() + no
    columns: dict[str, Any] = {
        "campaign_id": literal(campaign),
        "no": no.label("no"),
        "account_id": literal(account),
        "size": func.count(),
        "first_seq": func.min(seq),
        "last_seq": func.max(seq),
        "turn": turn,
        "seqs": func.array_agg(cast(seq, Integer)),
        "contact_ids": func.array_agg(audience.c.id),
        "phones": func.array_agg(audience.c.phone),
        "credits_per_part": func.array_agg(audience.c.credits),
    }
    columns |= {name: null() for _, name in _MERGE_COLUMNS.values()}
    columns |= {name: func.array_agg(audience.c[column.name]) for column, name in used}
    selected = select(*columns.values()).group_by(no)
    return send_batch.insert().from_select(list(columns), selected).returning(send_batch.c.size)


def _numbered(meant: MeantAudience, merge_columns: Sequence[ColumnElement[Any]]) -> Subquery:
    """The recipients, each with the price of a part and a number from 0 in the order of ids."""
    return (
        select(
            contact.c.id,
            contact.c.phone,
            cast(credits_per_part(meant.rules), SmallInteger).label("credits"),
            *merge_columns,
            (func.row_number().over(order_by=contact.c.id) - 1).label("seq"),
        )
        .where(*meant.recipients())
        .subquery("audience")
    )
