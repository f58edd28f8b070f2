"""The two engines of segments, plain Python and SQL, mean the same people.

`SEGMENT_CASES=10000` searches longer than a run of all tests can wait for.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from adapters_db.audience_segments import SegmentSql
from adapters_db.connections import Connections
from adapters_db.reads import Reads
from adapters_db.tables.contacts import contact
from retail_core.audiences.segments import SEGMENT_DEPTH_MAX, holds, read_segment
from retail_core.contacts.model import Gender
from tests.contracts.worlds import sql_world
from tests.integration.adapters_db.crowds import DAYS, TAGS, TODAYS, Crowd, CrowdMaker
from tests.own_database import own_connections

CASES: Final = int(os.environ.get("SEGMENT_CASES") or 300)
BRANCHES_MAX: Final = 4
Draw = st.DrawFn

GENDERS = st.sampled_from([gender.value for gender in Gender])
AGES = st.sampled_from([0, 1, 17, 18, 19, 24, 25, 39, 40, 99, 149, 150])
MONTHS = st.integers(1, 12)
LABELS = st.sampled_from([*TAGS, "nobody has it"])


@pytest.fixture(scope="module")
def stage(new_database: Callable[[], str]) -> Iterator[Connections]:
    """A database whose campaigns need not add up."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture(scope="module")
def crowds(stage: Connections) -> Sequence[Crowd]:
    """A crowd for each awkward day."""
    maker = CrowdMaker(sql_world(stage), stage, random.Random(20261124))
    return [maker.make(today) for today in TODAYS]


def several(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=1, max_size=3)


@st.composite
def leaves(draw: Draw, crowd: Crowd) -> dict[str, object]:
    """One condition of any field and operator."""
    field = draw(st.sampled_from(sorted(_LEAVES)))
    found: dict[str, object] = _LEAVES[field](draw, crowd)
    return {"field": field, **found}


def _one_of(draw: Draw, **ops: st.SearchStrategy[Any] | None) -> dict[str, object]:
    op = draw(st.sampled_from(sorted(ops)))
    values = ops[op]
    return {"op": op} if values is None else {"op": op, "value": draw(values)}


def _gender(draw: Draw, _crowd: Crowd) -> dict[str, object]:
    return _one_of(draw, **{"is": GENDERS, "in": several(GENDERS), "exists": None, "missing": None})


def _age(draw: Draw, _crowd: Crowd) -> dict[str, object]:
    between = st.tuples(AGES, AGES).map(sorted)
    return _one_of(draw, eq=AGES, lt=AGES, lte=AGES, gt=AGES, gte=AGES, between=between)


def _month(draw: Draw, _crowd: Crowd) -> dict[str, object]:
    return _one_of(draw, **{"is": MONTHS, "in": several(MONTHS)})


def _tags(draw: Draw, _crowd: Crowd) -> dict[str, object]:
    some = several(LABELS)
    return _one_of(draw, has=LABELS, hasAny=some, hasAll=some, hasNone=some)


def _lists(draw: Draw, crowd: Crowd) -> dict[str, object]:
    some = several(st.sampled_from(sorted(crowd.lists)))
    return _one_of(draw, **{"in": some, "notIn": some})


def _time(draw: Draw, crowd: Crowd) -> dict[str, object]:
    days = st.sampled_from(DAYS)
    ticks = st.sampled_from([-1, 0, 1]).map(lambda count: timedelta(microseconds=count))
    moments = st.builds(
        lambda ago, tick: (crowd.moment.days_ago(ago) + tick).isoformat(), days, ticks
    )
    return _one_of(
        draw,
        before=moments,
        after=moments,
        withinDays=days,
        olderThanDays=days,
        exists=None,
        missing=None,
    )


def _deed(draw: Draw, crowd: Crowd) -> dict[str, object]:
    found = _one_of(draw, inCampaign=st.sampled_from(list(crowd.campaigns)), ever=None)
    if draw(st.booleans()):
        found["withinDays"] = draw(st.sampled_from(DAYS))
    return found


_LEAVES: Final[dict[str, Any]] = {
    "gender": _gender,
    "age": _age,
    "birthdayMonth": _month,
    "tags": _tags,
    "lists": _lists,
    "subscribedAt": _time,
    "createdAt": _time,
    "lastMessagedAt": _time,
    "clicked": _deed,
    "redeemed": _deed,
}


@st.composite
def trees(draw: Draw, crowd: Crowd, depth: int = 1) -> dict[str, object]:
    """A tree of at most the allowed depth."""
    kinds = ["leaf", "leaf", "leaf", "all", "any", "not"]
    kind = "leaf" if depth == SEGMENT_DEPTH_MAX else draw(st.sampled_from(kinds))
    below = trees(crowd, depth + 1)
    if kind == "leaf":
        return draw(leaves(crowd))
    if kind == "not":
        return {"not": draw(below)}
    return {kind: draw(st.lists(below, min_size=1, max_size=BRANCHES_MAX if depth < 4 else 1))}


@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_engines_mean_the_same_people(
    stage: Connections, crowds: Sequence[Crowd], data: st.DataObject
) -> None:
    crowd = data.draw(st.sampled_from(range(len(crowds))).map(lambda at: crowds[at]))
    document = data.draw(trees(crowd))
    segment = read_segment(document)
    sql = SegmentSql(crowd.account, crowd.moment, crowd.lists)
    statement = select(contact.c.id).where(
        contact.c.account_id == crowd.account, sql.condition(segment.root)
    )

    with Reads(stage).account(crowd.account) as connection:
        found = set(connection.execute(statement).scalars())

    expected = {
        each for each, subject in crowd.subjects.items() if holds(segment, subject, crowd.moment)
    }
    assert found == expected, document
    assert segment.document() == document
    assert read_segment(segment.document()) == segment


def test_no_leaf_is_ever_neither_true_nor_false(
    stage: Connections, crowds: Sequence[Crowd]
) -> None:
    """Else `not` would lose people."""
    crowd = crowds[0]
    sql = SegmentSql(crowd.account, crowd.moment, crowd.lists)
    for document in _one_leaf_of_each_operator(crowd):
        leaf = read_segment(document).root
        statement = select(contact.c.id).where(
            contact.c.account_id == crowd.account, func.num_nulls(sql.condition(leaf)) > 0
        )
        with Reads(stage).account(crowd.account) as connection:
            assert connection.execute(statement).all() == [], document


def _one_leaf_of_each_operator(crowd: Crowd) -> Iterator[dict[str, object]]:
    at = crowd.moment.now.isoformat()
    values: dict[str, dict[str, object]] = {
        "gender": {"is": "male", "in": ["male"], "exists": None, "missing": None},
        "age": dict.fromkeys(("eq", "lt", "lte", "gt", "gte"), 18) | {"between": [18, 24]},
        "birthdayMonth": {"is": 2, "in": [2]},
        "tags": {"has": "vip", "hasAny": ["vip"], "hasAll": ["vip"], "hasNone": ["vip"]},
        "lists": dict.fromkeys(("in", "notIn"), sorted(crowd.lists)),
    }
    times = {"before": at, "after": at, "withinDays": 7, "olderThanDays": 7}
    for field in ("subscribedAt", "createdAt", "lastMessagedAt"):
        values[field] = times | {"exists": None, "missing": None}
    for field in ("clicked", "redeemed"):
        values[field] = {"ever": None, "inCampaign": crowd.campaigns[0]}
    for field, ops in values.items():
        for op, value in ops.items():
            yield {"field": field, "op": op} | ({} if value is None else {"value": value})
