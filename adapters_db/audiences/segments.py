"""Segments as SQL: the same tree as conditions on a contact's row, none of them ever NULL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import ColumnElement, and_, extract, or_

from adapters_db.audiences.facts import When, engaged, ever, granted, messaged
from adapters_db.contacts.list_conditions import born_within, on_one
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import (
    AllOf,
    AnyOf,
    BirthdayRange,
    ContactList,
    Leaf,
    Node,
    Not,
    SegmentField,
    SegmentOp,
)
from retail_core.audiences.segments import DEEDS, SegmentMoment, age_bounds, moment_bound
from retail_core.contacts.model import Gender
from retail_core.kernel.ids import AccountId, ListId


@attrs.frozen
class SegmentSql:
    """Where and when a segment is evaluated; `lists` has every list that it names."""

    account: AccountId
    moment: SegmentMoment
    lists: Mapping[ListId, ContactList]

    def condition(self, node: Node) -> ColumnElement[bool]:
        """Whether the node holds for the contact in the row."""
        match node:
            case AllOf():
                return and_(*(self.condition(each) for each in node.nodes))
            case AnyOf():
                return or_(*(self.condition(each) for each in node.nodes))
            case Not():
                return ~self.condition(node.node)
            case Leaf():
                return self.leaf(node)

    def leaf(self, leaf: Leaf) -> ColumnElement[bool]:
        """Whether one condition holds."""
        born = contact.c.birthday
        match leaf.field:
            case SegmentField.GENDER:
                found = _gender(leaf)
            case SegmentField.AGE:
                found = born_within(BirthdayRange.between(*age_bounds(leaf), self.moment.today))
            case SegmentField.BIRTHDAY_MONTH:
                found = and_(born.is_not(None), extract("month", born).in_(leaf.numbers))
            case SegmentField.TAGS:
                found = _tags(leaf)
            case SegmentField.LISTS:
                found = self._lists(leaf)
            case SegmentField.SUBSCRIBED_AT:
                found = self._time(leaf, _Granted(self.account))
            case SegmentField.CREATED_AT:
                found = self._time(leaf, _Created())
            case SegmentField.LAST_MESSAGED_AT:
                found = self._time(leaf, _Messaged(self.account))
            case _:
                days = leaf.within_days
                since = None if days is None else self.moment.days_ago(days)
                found = engaged(self.account, DEEDS[leaf.field], leaf.numbers, since)
        return found

    def _lists(self, leaf: Leaf) -> ColumnElement[bool]:
        named = [ListId(number) for number in leaf.numbers]
        found = on_one(self.account, named, self.lists, self.moment.today)
        return found if leaf.op is SegmentOp.IN else ~found

    def _time(self, leaf: Leaf, facts: "_Created | _Granted | _Messaged") -> ColumnElement[bool]:
        """The last of the facts compares as the leaf says: one is, or none is, beyond a bound."""
        if leaf.op in {SegmentOp.EXISTS, SegmentOp.MISSING}:
            known = facts.one(ever)
            return known if leaf.op is SegmentOp.EXISTS else ~known
        bound = moment_bound(leaf, self.moment)
        match leaf.op:
            case SegmentOp.AFTER:
                return facts.one(lambda at: at > bound, bound)
            case SegmentOp.WITHIN_DAYS:
                return facts.one(lambda at: at >= bound, bound)
            case _:
                return and_(facts.one(ever), ~facts.one(lambda at: at >= bound, bound))


@attrs.frozen
class _Created:
    def one(self, when: When, _not_before: datetime | None = None) -> ColumnElement[bool]:
        return when(contact.c.created_at)


@attrs.frozen
class _Granted:
    account: AccountId

    def one(self, when: When, _not_before: datetime | None = None) -> ColumnElement[bool]:
        return granted(self.account, when)


@attrs.frozen
class _Messaged:
    account: AccountId

    def one(self, when: When, not_before: datetime | None = None) -> ColumnElement[bool]:
        return messaged(self.account, when, not_before)


def _gender(leaf: Leaf) -> ColumnElement[bool]:
    gender = contact.c.gender
    match leaf.op:
        case SegmentOp.EXISTS:
            return gender.is_not(None)
        case SegmentOp.MISSING:
            return gender.is_(None)
        case _:
            return and_(gender.is_not(None), gender.in_([Gender(word) for word in leaf.words]))


def _tags(leaf: Leaf) -> ColumnElement[bool]:
    tags: Any = contact.c.tags
    match leaf.op:
        case SegmentOp.HAS_ANY:
            found = tags.overlap(leaf.words)
        case SegmentOp.HAS_NONE:
            found = ~tags.overlap(leaf.words)
        case _:
            found = tags.contains(leaf.words)
    condition: ColumnElement[bool] = found
    return condition
