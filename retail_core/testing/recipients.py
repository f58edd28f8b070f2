"""The frozen recipients of batches in memory: made, cut in two, and taken out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from retail_core.audiences.model import AudienceRules
from retail_core.contacts.model import Contact
from retail_core.messages.model import MergeGroup, Recipients
from retail_core.templates.rendering import Field
from retail_core.testing.tables import StoredBatch

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


def cut(recipients: Recipients, part: slice) -> Recipients:
    """Some of the recipients."""
    columns = {field.name: getattr(recipients, field.name) for field in attrs.fields(Recipients)}
    return Recipients(**{name: column and column[part] for name, column in columns.items()})


def without_person(recipients: Recipients, position: int) -> Recipients:
    """The same recipients, one of them nameless: only his place and his price stay."""
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
