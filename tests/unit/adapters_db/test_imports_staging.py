"""Rows as COPY reads them back."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters_db.imports.staging import COLUMNS, staged_lines
from retail_core.contacts.model import folded_fields
from retail_core.imports.model import ImportedRow
from retail_core.kernel.addresses.phones import LineType, Phone, PhoneNumber

PHONE = Phone(PhoneNumber("+306900000001"), "GR", LineType.LANDLINE)
MEANT = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
TEXTS = st.none() | st.text(
    st.sampled_from("aΣς\\\t\n\r\"'{},Nt ") | st.characters(codec="utf-8"), min_size=1
)


def unescaped(cell: str) -> str | None:
    return re.sub(r"\\.", lambda found: MEANT[found[0]], cell) or None


def lines(rows: list[ImportedRow]) -> list[list[str | None]]:
    """What the text says, by the rules of COPY."""
    *told, end = staged_lines(rows).split("\n")
    assert end == ""
    return [[unescaped(cell) for cell in line.split("\t")] for line in told]


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4))
def test_every_text_stands_in_its_own_cell(texts: list[tuple[Any, Any, Any]]) -> None:
    rows = [
        ImportedRow(no, PHONE, email=email, first_name=first, last_name=last)
        for no, (email, first, last) in enumerate(texts, start=1)
    ]

    found = lines(rows)

    assert [len(line) for line in found] == [COLUMNS] * len(rows)
    for line, row in zip(found, rows, strict=True):
        assert line[:4] == [str(row.row), "306900000001", "GR", "2"]
        assert line[4:7] == [row.email, row.first_name, row.last_name]
        folded = folded_fields("", row.email, row.first_name, row.last_name)[1:]
        assert line[11:] == [text or None for text in folded]
