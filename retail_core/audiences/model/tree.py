"""A segment: a closed tree of conditions over contacts (docs/api.md, 3.5).

Values are kept as JSON knows them, so that a stored tree is the tree that was sent.
"""

import enum
from collections.abc import Iterator
from typing import Final, TypeAlias

import attrs

from retail_core.kernel.ids import CampaignId, ListId

ROOT_PATH: Final = "segment"


class SegmentField(enum.Enum):
    """What a leaf can ask about."""

    GENDER = "gender"
    AGE = "age"
    BIRTHDAY_MONTH = "birthdayMonth"
    TAGS = "tags"
    LISTS = "lists"
    SUBSCRIBED_AT = "subscribedAt"
    CREATED_AT = "createdAt"
    LAST_MESSAGED_AT = "lastMessagedAt"
    CLICKED = "clicked"
    REDEEMED = "redeemed"


class SegmentOp(enum.Enum):
    """How a leaf compares."""

    IS = "is"
    IN = "in"
    NOT_IN = "notIn"
    EXISTS = "exists"
    MISSING = "missing"
    EQ = "eq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"
    HAS = "has"
    HAS_ANY = "hasAny"
    HAS_ALL = "hasAll"
    HAS_NONE = "hasNone"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_DAYS = "withinDays"
    OLDER_THAN_DAYS = "olderThanDays"
    IN_CAMPAIGN = "inCampaign"
    EVER = "ever"


Scalar: TypeAlias = str | int


@attrs.frozen
class Leaf:
    """One condition; `value` is None where the operator takes none."""

    field: SegmentField
    op: SegmentOp
    value: Scalar | tuple[Scalar, ...] | None = None
    within_days: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The value or values of a leaf about texts."""
        return tuple(str(each) for each in self._several)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The value or values of a leaf about numbers."""
        return tuple(int(each) for each in self._several)

    @property
    def _several(self) -> tuple[Scalar, ...]:
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)


@attrs.frozen
class AllOf:
    """Every one of its nodes must hold."""

    nodes: tuple["Node", ...]


@attrs.frozen
class AnyOf:
    """At least one of its nodes must hold."""

    nodes: tuple["Node", ...]


@attrs.frozen
class Not:
    """Its node must not hold."""

    node: "Node"


Node: TypeAlias = AllOf | AnyOf | Not | Leaf


@attrs.frozen
class Segment:
    """Who is meant, as a tree; two equal trees mean the same people."""

    root: Node

    def leaves(self) -> Iterator[tuple[str, Leaf]]:
        """Every leaf with its path, such as `segment.all[1]`."""
        return _leaves(self.root, ROOT_PATH)

    @property
    def lists(self) -> frozenset[ListId]:
        """The own lists that it names."""
        return frozenset(
            ListId(number)
            for _, leaf in self.leaves()
            if leaf.field is SegmentField.LISTS
            for number in leaf.numbers
        )

    @property
    def campaigns(self) -> frozenset[CampaignId]:
        """The campaigns that it names."""
        return frozenset(
            CampaignId(number)
            for _, leaf in self.leaves()
            if leaf.op is SegmentOp.IN_CAMPAIGN
            for number in leaf.numbers
        )

    def document(self) -> dict[str, object]:
        """The tree as JSON data."""
        return _document(self.root)


def branches(node: AllOf | AnyOf, path: str) -> Iterator[tuple[str, Node]]:
    """The nodes below one that has several, each with its path."""
    key = "all" if isinstance(node, AllOf) else "any"
    for position, below in enumerate(node.nodes):
        yield f"{path}.{key}[{position}]", below


def _leaves(node: Node, path: str) -> Iterator[tuple[str, Leaf]]:
    match node:
        case Leaf():
            yield path, node
        case Not():
            yield from _leaves(node.node, f"{path}.not")
        case AllOf() | AnyOf():
            for below, each in branches(node, path):
                yield from _leaves(each, below)


def _document(node: Node) -> dict[str, object]:
    match node:
        case AllOf():
            return {"all": [_document(each) for each in node.nodes]}
        case AnyOf():
            return {"any": [_document(each) for each in node.nodes]}
        case Not():
            return {"not": _document(node.node)}
        case Leaf():
            return _leaf_document(node)


def _leaf_document(node: Leaf) -> dict[str, object]:
    found: dict[str, object] = {"field": node.field.value, "op": node.op.value}
    if node.value is not None:
        found["value"] = list(node.value) if isinstance(node.value, tuple) else node.value
    if node.within_days is not None:
        found["withinDays"] = node.within_days
    return found
