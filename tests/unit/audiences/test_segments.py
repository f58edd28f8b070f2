"""Reading a segment: what is allowed, and where exactly it is not."""

from typing import Any

import pytest

from retail_core.audiences.model import LeafVerdict
from retail_core.audiences.segments import (
    SEGMENT_BYTES_MAX,
    SEGMENT_DEPTH_MAX,
    SEGMENT_LEAVES_MAX,
    decided_by,
    read_segment,
)
from retail_core.kernel.errors import InvalidField

VIP: dict[str, Any] = {"field": "tags", "op": "has", "value": "vip"}
MEN: dict[str, Any] = {"field": "gender", "op": "is", "value": "male"}


def nested(depth: int) -> dict[str, Any]:
    return VIP if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (None, "segment"),
        ("x", "segment"),
        ([], "segment"),
        ({}, "segment.field"),
        ({"all": []}, "segment.all"),
        ({"all": {}}, "segment.all"),
        ({"any": [VIP, 5]}, "segment.any[1]"),
        ({"all": [VIP], "any": [VIP]}, "segment.any"),
        ({"all": [VIP, {"field": "age", "op": "is", "value": 5}]}, "segment.all[1].op"),
        ({"not": {"field": "x", "op": "is"}}, "segment.not.field"),
        ({"field": "age", "value": 5}, "segment.op"),
        ({"field": ["age"], "op": "eq", "value": 5}, "segment.field"),
        ({"field": "age", "op": "eq"}, "segment.value"),
        ({"field": "age", "op": "eq", "value": 151}, "segment.value"),
        ({"field": "age", "op": "eq", "value": True}, "segment.value"),
        ({"field": "age", "op": "eq", "value": 1.5}, "segment.value"),
        ({"field": "age", "op": "between", "value": [30, 20]}, "segment.value"),
        ({"field": "age", "op": "between", "value": [20, "x"]}, "segment.value[1]"),
        ({"field": "age", "op": "between", "value": [20]}, "segment.value"),
        ({"field": "gender", "op": "in", "value": ["male", 5]}, "segment.value[1]"),
        ({"field": "gender", "op": "exists", "value": True}, "segment.value"),
        ({"field": "birthdayMonth", "op": "is", "value": 13}, "segment.value"),
        ({"field": "tags", "op": "has", "value": "a,b"}, "segment.value"),
        ({"field": "tags", "op": "has", "value": ["a"]}, "segment.value"),
        ({"field": "tags", "op": "hasAny", "value": "a"}, "segment.value"),
        ({"field": "lists", "op": "in", "value": [0]}, "segment.value[0]"),
        ({"field": "lists", "op": "in", "value": ["all"]}, "segment.value[0]"),
        ({"field": "createdAt", "op": "before", "value": "soon"}, "segment.value"),
        (
            {"field": "createdAt", "op": "before", "value": "0001-01-01T00:00+14:00"},
            "segment.value",
        ),
        ({"field": "createdAt", "op": "withinDays", "value": 0}, "segment.value"),
        ({"field": "createdAt", "op": "withinDays", "value": 3651}, "segment.value"),
        ({"field": "clicked", "op": "ever", "withinDays": None}, "segment.withinDays"),
        ({"field": "clicked", "op": "ever", "value": 5}, "segment.value"),
        ({"field": "gender", "op": "exists", "withinDays": 5}, "segment.withinDays"),
        ({**VIP, "note": "x"}, "segment.note"),
        (nested(SEGMENT_DEPTH_MAX + 1), "segment" + ".not" * SEGMENT_DEPTH_MAX),
        ({"all": [{"any": [VIP] * 60}] * 2}, "segment"),
        ({"all": [VIP] * (SEGMENT_LEAVES_MAX + 1)}, "segment.all"),
        ({"field": "tags", "op": "hasAny", "value": ["x" * 40] * 400}, "segment"),
    ],
)
def test_what_is_not_known_is_refused_where_it_stands(document: object, path: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        read_segment(document)

    assert [fault.path for fault in refusal.value.fields] == [path]


@pytest.mark.parametrize(
    "document",
    [
        nested(SEGMENT_DEPTH_MAX),
        {"all": [VIP] * SEGMENT_LEAVES_MAX},
        {"any": [VIP, {"not": MEN}, {"field": "clicked", "op": "ever", "withinDays": 7}]},
        {"field": "createdAt", "op": "before", "value": "2026-11-24"},
    ],
)
def test_a_tree_is_kept_as_it_was_sent(document: dict[str, Any]) -> None:
    assert read_segment(document).document() == document


def test_words_and_digits_are_kept_in_one_form() -> None:
    document = {
        "all": [
            {"field": "gender", "op": "is", "value": " MALE "},
            {"field": "tags", "op": "has", "value": "VIP"},
            {"field": "lists", "op": "in", "value": ["7"]},
        ]
    }

    segment = read_segment(document)

    assert [leaf.value for _, leaf in segment.leaves()] == ["male", "vip", (7,)]
    assert segment.lists == {7}
    assert SEGMENT_BYTES_MAX == 16 * 1024


@pytest.mark.parametrize(
    ("truths", "deciding"),
    [
        ((True, True), ["segment.any[1]"]),
        ((False, True), ["segment.any[0].not"]),
        ((True, False), ["segment.any[0].not", "segment.any[1]"]),
    ],
)
def test_only_leaves_that_decided_are_named(truths: tuple[bool, bool], deciding: list[str]) -> None:
    segment = read_segment({"any": [{"not": VIP}, MEN]})
    truth = dict(zip(("segment.any[0].not", "segment.any[1]"), truths, strict=True))

    found = decided_by(segment, lambda path, _: truth[path])

    assert found == tuple(LeafVerdict(path, truth[path]) for path in deciding)
