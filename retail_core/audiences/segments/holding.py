"""Evaluating a segment for one contact, in plain Python: what the database must agree with."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

import attrs

from retail_core.audiences.model import (
    ROOT_PATH,
    AllOf,
    AnyOf,
    BirthdayRange,
    EngagementFact,
    EngagementKind,
    Leaf,
    LeafVerdict,
    Node,
    Not,
    Segment,
    SegmentField,
    SegmentOp,
    branches,
)
from retail_core.audiences.segments.moments import read_moment
from retail_core.contacts.model import Gender
from retail_core.kernel.ids import ListId

DEEDS: Final = {
    SegmentField.CLICKED: EngagementKind.CLICKED,
    SegmentField.REDEEMED: EngagementKind.REDEEMED,
}


@attrs.frozen
class SegmentMoment:
    """When a segment is evaluated: the instant, and the day it is at the store."""

    now: datetime
    today: date

    def days_ago(self, days: int) -> datetime:
        """A day is 24 hours."""
        return self.now - timedelta(days=days)


@attrs.frozen(kw_only=True)
class SegmentSubject:
    """A contact as a segment sees it; `lists` are those it is on at this moment."""

    gender: Gender | None
    birthday: date | None = attrs.field(repr=False)
    tags: frozenset[str]
    lists: frozenset[ListId]
    subscribed_at: datetime | None
    created_at: datetime
    last_messaged_at: datetime | None
    engagement: tuple[EngagementFact, ...] = ()


LeafTruth = Callable[[str, Leaf], bool]
"""Whether the leaf at a path holds."""


def holds(segment: Segment, subject: SegmentSubject, moment: SegmentMoment) -> bool:
    """Whether somebody is meant."""
    return _holds(segment.root, ROOT_PATH, lambda _, leaf: leaf_holds(leaf, subject, moment))


def decided_by(segment: Segment, truth: LeafTruth) -> tuple[LeafVerdict, ...]:
    """The leaves that made the segment what it is, whatever the others had said."""
    return tuple(_deciding(segment.root, ROOT_PATH, truth))


def age_bounds(leaf: Leaf) -> tuple[int | None, int | None]:
    """The lowest and highest age that a leaf about ages allows; None = no end."""
    first, last = leaf.numbers[0], leaf.numbers[-1]
    match leaf.op:
        case SegmentOp.LT:
            return None, first - 1
        case SegmentOp.LTE:
            return None, first
        case SegmentOp.GT:
            return first + 1, None
        case SegmentOp.GTE:
            return first, None
        case _:
            return first, last


def moment_bound(leaf: Leaf, moment: SegmentMoment) -> datetime:
    """The instant that a leaf about times compares with."""
    if leaf.op in {SegmentOp.WITHIN_DAYS, SegmentOp.OLDER_THAN_DAYS}:
        return moment.days_ago(leaf.numbers[0])
    return read_moment(leaf.words[0])


def leaf_holds(leaf: Leaf, subject: SegmentSubject, moment: SegmentMoment) -> bool:
    """Whether one condition holds; on a missing value none does."""
    match leaf.field:
        case SegmentField.GENDER:
            found = _gender(leaf, subject.gender)
        case SegmentField.AGE:
            ages = BirthdayRange.between(*age_bounds(leaf), moment.today)
            found = ages.holds(subject.birthday)
        case SegmentField.BIRTHDAY_MONTH:
            found = subject.birthday is not None and subject.birthday.month in leaf.numbers
        case SegmentField.TAGS:
            found = _tags(leaf, subject.tags)
        case SegmentField.LISTS:
            on_one = not subject.lists.isdisjoint(leaf.numbers)
            found = on_one is (leaf.op is SegmentOp.IN)
        case SegmentField.SUBSCRIBED_AT:
            found = _time(leaf, subject.subscribed_at, moment)
        case SegmentField.CREATED_AT:
            found = _time(leaf, subject.created_at, moment)
        case SegmentField.LAST_MESSAGED_AT:
            found = _time(leaf, subject.last_messaged_at, moment)
        case _:
            found = any(_deed(leaf, fact, moment) for fact in subject.engagement)
    return found


def _gender(leaf: Leaf, gender: Gender | None) -> bool:
    match leaf.op:
        case SegmentOp.EXISTS:
            return gender is not None
        case SegmentOp.MISSING:
            return gender is None
        case _:
            return gender is not None and gender.value in leaf.words


def _tags(leaf: Leaf, tags: frozenset[str]) -> bool:
    match leaf.op:
        case SegmentOp.HAS_ANY:
            return not tags.isdisjoint(leaf.words)
        case SegmentOp.HAS_NONE:
            return tags.isdisjoint(leaf.words)
        case _:
            return tags.issuperset(leaf.words)


def _time(leaf: Leaf, at: datetime | None, moment: SegmentMoment) -> bool:
    if leaf.op is SegmentOp.MISSING:
        return at is None
    if at is None or leaf.op is SegmentOp.EXISTS:
        return at is not None
    bound = moment_bound(leaf, moment)
    match leaf.op:
        case SegmentOp.AFTER:
            return at > bound
        case SegmentOp.WITHIN_DAYS:
            return at >= bound
        case _:
            return at < bound


def _deed(leaf: Leaf, fact: EngagementFact, moment: SegmentMoment) -> bool:
    return (
        fact.kind is DEEDS[leaf.field]
        and (leaf.op is SegmentOp.EVER or fact.campaign in leaf.numbers)
        and (leaf.within_days is None or fact.at >= moment.days_ago(leaf.within_days))
    )


def _holds(node: Node, path: str, truth: LeafTruth) -> bool:
    match node:
        case Leaf():
            return truth(path, node)
        case Not():
            return not _holds(node.node, f"{path}.not", truth)
        case AllOf():
            return all(_holds(each, below, truth) for below, each in branches(node, path))
        case AnyOf():
            return any(_holds(each, below, truth) for below, each in branches(node, path))


def _deciding(node: Node, path: str, truth: LeafTruth) -> list[LeafVerdict]:
    match node:
        case Leaf():
            return [LeafVerdict(path, truth(path, node))]
        case Not():
            return _deciding(node.node, f"{path}.not", truth)
        case AllOf() | AnyOf():
            found = list(branches(node, path))
            decisive = isinstance(node, AnyOf)
            for below, each in found:
                if _holds(each, below, truth) is decisive:
                    return _deciding(each, below, truth)
            return [leaf for below, each in found for leaf in _deciding(each, below, truth)]
