"""Freezing an audience: one INSERT ... SELECT that puts every recipient in exactly one batch."""

from typing import Any

from sqlalchemy import Integer, SmallInteger, cast, func, literal, null, select
from sqlalchemy.sql.dml import ReturningInsert

from adapters_db.audience_sql import credits_per_part, recipients
from adapters_db.tables.campaigns import send_batch
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.templates.rendering import Field

_MERGE_COLUMNS = {
    Field.FIRST_NAME: (contact.c.first_name, "first_names"),
    Field.LAST_NAME: (contact.c.last_name, "last_names"),
    Field.EMAIL: (contact.c.email, "emails"),
}


def freeze_statement(
    account: AccountId,
    campaign: CampaignId,
    spec: AudienceSpec,
    rules: AudienceRules,
    merge_fields: frozenset[Field],
    batch_messages_max: int,
) -> "ReturningInsert[tuple[int]]":
    """Number the recipients by id and cut them into batches; returns the size of each.

    Contacts have unique numbers per account, so each number is in one batch as well. All arrays of
    a batch are collected from the same rows, so they agree in their order, whichever it is.
    """
    used = [_MERGE_COLUMNS[field] for field in sorted(merge_fields)]
    audience = (
        select(
            contact.c.id,
            contact.c.phone,
            cast(credits_per_part(rules), SmallInteger).label("credits"),
            *(column for column, _ in used),
            cast(func.row_number().over(order_by=contact.c.id) - 1, Integer).label("seq"),
        )
        .where(*recipients(account, spec, rules))
        .subquery("audience")
    )
    seq = audience.c.seq
    no = seq // batch_messages_max
    base = select(func.first_free_turn(account)).scalar_subquery()

    columns: dict[str, Any] = {
        "campaign_id": literal(campaign),
        "no": no.label("no"),
        "account_id": literal(account),
        "size": func.count(),
        "first_seq": func.min(seq),
        "last_seq": func.max(seq),
        "turn": base + no,
        "seqs": func.array_agg(seq),
        "contact_ids": func.array_agg(audience.c.id),
        "phones": func.array_agg(audience.c.phone),
        "credits_per_part": func.array_agg(audience.c.credits),
    }
    columns |= {name: null() for _, name in _MERGE_COLUMNS.values()}
    columns |= {name: func.array_agg(audience.c[column.name]) for column, name in used}
    selected = select(*columns.values()).group_by(no)
    return send_batch.insert().from_select(list(columns), selected).returning(send_batch.c.size)
