"""The two engines of segments, plain Python and SQL, mean the same people.

`SEGMENT_CASES=10000` searches longer than a run of all tests can wait for.
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from adapters_db.audiences.queries import SqlAudienceQueries
from adapters_db.audiences.segments import SegmentSql
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.audiences.segments import SEGMENT_DEPTH_MAX, holds, read_segment
from retail_core.contacts.model import Gender
from retail_core.kernel.money import PriceList
from tests.contracts.worlds import sql_world
from tests.integration.adapters_db.audiences.crowds import (
    CAMPAIGNS_OF_A_CROWD,
    DAYS,
    LISTS_OF_A_CROWD,
    TAGS,
    TODAYS,
    Crowd,
    CrowdMaker,
)
from tests.own_database import own_connections

CASES: Final = int(os.environ.get("SEGMENT_CASES") or 300)
SECONDS_MAX: Final = max(120, CASES // 10)
BRANCHES_MAX: Final = 4
LEAVES_MAX: Final = 20


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


@attrs.frozen
class Place:
    """Which of the lists or campaigns of a crowd, whose ids nobody knows beforehand."""

    position: int


@attrs.frozen
class Instant:
    """So many days ago, or a microsecond beside it."""

    days: int
    microseconds: int


def several(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=1, max_size=3)


def leaf(
    field: str, op: str, value: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """A condition, its value still with places and instants."""
    keys: dict[str, st.SearchStrategy[Any]] = {"field": st.just(field), "op": st.just(op)}
    if value is not None:
        keys["value"] = value
    days = {"withinDays": PERIODS} if field in {"clicked", "redeemed"} else {}
    return st.fixed_dictionaries(keys, optional=days)


def operators() -> Iterator[st.SearchStrategy[dict[str, Any]]]:
    """A condition for every field and operator there is."""
    yield from (leaf("gender", op) for op in ("exists", "missing"))
    yield from (leaf("gender", "is", GENDERS), leaf("gender", "in", several(GENDERS)))
    yield from (leaf("age", op, AGES) for op in ("eq", "lt", "lte", "gt", "gte"))
    yield leaf("age", "between", st.tuples(AGES, AGES).map(sorted))
    yield from (leaf("birthdayMonth", "is", MONTHS), leaf("birthdayMonth", "in", several(MONTHS)))
    yield leaf("tags", "has", LABELS)
    yield from (leaf("tags", op, several(LABELS)) for op in ("hasAny", "hasAll", "hasNone"))
    yield from (leaf("lists", op, several(LISTS)) for op in ("in", "notIn"))
    for field in ("subscribedAt", "createdAt", "lastMessagedAt"):
        yield from (leaf(field, op) for op in ("exists", "missing"))
        yield from (leaf(field, op, INSTANTS) for op in ("before", "after"))
        yield from (leaf(field, op, PERIODS) for op in ("withinDays", "olderThanDays"))
    for field in ("clicked", "redeemed"):
        yield from (leaf(field, "ever"), leaf(field, "inCampaign", CAMPAIGNS))


def depth(tree: dict[str, Any]) -> int:
    below = tree.get("all") or tree.get("any") or ([tree["not"]] if "not" in tree else [])
    return 1 + max((depth(each) for each in below), default=0)


def wider(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(below, min_size=1, max_size=BRANCHES_MAX)
    keys = {"all": some, "any": some, "not": below}
    return st.one_of(*(st.fixed_dictionaries({key: value}) for key, value in keys.items()))


def written_for(crowd: Crowd, tree: Any) -> Any:
    """The tree as JSON, with the ids and times of a crowd."""
    match tree:
        case dict():
            ids = crowd.campaigns if "inCampaign" in tree.values() else sorted(crowd.lists)
            return {key: _written(crowd, ids, value) for key, value in tree.items()}
        case list():
            return [written_for(crowd, each) for each in tree]
        case _:
            return tree


def _written(crowd: Crowd, ids: Sequence[int], value: Any) -> Any:
    match value:
        case Place():
            return ids[value.position]
        case Instant():
            tick = timedelta(microseconds=value.microseconds)
            return (crowd.moment.days_ago(value.days) + tick).isoformat()
        case [Place(), *_]:
            return [ids[each.position] for each in value]
        case _:
            return written_for(crowd, value)


GENDERS = st.sampled_from([gender.value for gender in Gender])
AGES = st.sampled_from([0, 1, 17, 18, 19, 24, 25, 39, 40, 99, 149, 150])
MONTHS = st.integers(1, 12)
LABELS = st.sampled_from([*TAGS, "nobody has it"])
LISTS = st.builds(Place, st.integers(0, LISTS_OF_A_CROWD - 1))
CAMPAIGNS = st.builds(Place, st.integers(0, CAMPAIGNS_OF_A_CROWD - 1))
PERIODS = st.sampled_from(DAYS)
INSTANTS = st.builds(Instant, PERIODS, st.sampled_from([-1, 0, 1]))
LEAVES = st.one_of(*operators())
TREES = st.recursive(LEAVES, wider, max_leaves=LEAVES_MAX).filter(
    lambda tree: depth(tree) <= SEGMENT_DEPTH_MAX
)


@pytest.mark.timeout(SECONDS_MAX)
@settings(max_examples=CASES, suppress_health_check=list(HealthCheck))
@given(day=st.integers(0, len(TODAYS) - 1), tree=TREES)
def test_both_engines_mean_the_same_people(
    stage: Connections, crowds: Sequence[Crowd], day: int, tree: dict[str, Any]
) -> None:
    crowd = crowds[day]
    document = written_for(crowd, tree)
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


@settings(max_examples=max(CASES // 5, 1), suppress_health_check=list(HealthCheck))
@given(
    day=st.integers(0, len(TODAYS) - 1),
    tree=st.none() | LEAVES,
    base=st.none() | LISTS,
    excluded=st.lists(LISTS, max_size=3),
    adults_only=st.booleans(),
)
def test_everybody_matched_is_a_recipient_or_left_out_for_one_reason(
    stage: Connections,
    crowds: Sequence[Crowd],
    day: int,
    tree: dict[str, Any] | None,
    base: Place | None,
    excluded: list[Place],
    *,
    adults_only: bool,
) -> None:
    crowd = crowds[day]
    lists = sorted(crowd.lists)
    segment = None if tree is None else read_segment(written_for(crowd, tree))
    spec = AudienceSpec(
        own_list=None if base is None else lists[base.position],
        exclude_lists=tuple(lists[each.position] for each in excluded),
        segment=segment,
    )
    rules = AudienceRules(
        crowd.moment.today, adults_only, PriceList({"GR": 1}, None), crowd.moment.now
    )
    queries = SqlAudienceQueries(Reads(stage))

    count = queries.count(crowd.account, spec, rules)
    recipients, members = queries.members(
        crowd.account, spec, rules, name=None, members_max=len(crowd.subjects)
    )

    matching = {
        each
        for each, subject in crowd.subjects.items()
        if (segment is None or holds(segment, subject, crowd.moment))
        and (spec.own_list is None or spec.own_list in subject.lists)
    }
    assert count.matched == len(matching) == recipients + sum(count.excluded.values())
    assert {member.id for member in members} <= matching
    for member in members:
        assert crowd.subjects[member.id].lists.isdisjoint(spec.exclude_lists)


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
