"""Reading a segment: the tree is closed, so anything unknown is refused where it stands."""

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from retail_core.audiences.model import (
    FILTER_AGE_YEARS_MAX,
    ROOT_PATH,
    AllOf,
    AnyOf,
    Leaf,
    Node,
    Not,
    Scalar,
    Segment,
    SegmentField,
    SegmentOp,
)
from retail_core.audiences.segments.moments import read_moment
from retail_core.contacts.errors import InvalidTags
from retail_core.contacts.model import Gender
from retail_core.contacts.model.values import read_tags
from retail_core.kernel.errors import InvalidField

SEGMENT_DEPTH_MAX: Final = 8
SEGMENT_LEAVES_MAX: Final = 100
SEGMENT_BYTES_MAX: Final = 16_384
DAYS_MAX: Final = 3_650
MONTHS: Final = 12

_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")
_ID: Final = re.compile(r"-?[1-9][0-9]{0,19}")
_GENDERS: Final = frozenset(gender.value for gender in Gender)

Word = TypeVar("Word", bound=enum.Enum)
Reader = Callable[[object, str], Scalar | tuple[Scalar, ...]]


def read_segment(document: object) -> Segment:
    """Raises `InvalidField` with the exact path, such as `segment.all[1].op`."""
    root = _node(document, ROOT_PATH, 1)
    segment = Segment(root)
    if sum(1 for _ in segment.leaves()) > SEGMENT_LEAVES_MAX:
        raise InvalidField(ROOT_PATH, f"must have at most {SEGMENT_LEAVES_MAX} conditions")
    text = json.dumps(segment.document(), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > SEGMENT_BYTES_MAX:
        raise InvalidField(ROOT_PATH, f"must have at most {SEGMENT_BYTES_MAX} bytes")
    return segment


def _node(value: object, path: str, depth: int) -> Node:
    if not isinstance(value, Mapping):
        raise InvalidField(path, "must be an object")
    if depth > SEGMENT_DEPTH_MAX:
        raise InvalidField(path, f"must not lie deeper than {SEGMENT_DEPTH_MAX}")
    match next((key for key in ("all", "any", "not") if key in value), None):
        case "all":
            _only(value, path, {"all"})
            return AllOf(tuple(_nodes(value["all"], f"{path}.all", depth + 1)))
        case "any":
            _only(value, path, {"any"})
            return AnyOf(tuple(_nodes(value["any"], f"{path}.any", depth + 1)))
        case "not":
            _only(value, path, {"not"})
            return Not(_node(value["not"], f"{path}.not", depth + 1))
        case _:
            return _leaf(value, path)


def _nodes(value: object, path: str, depth: int) -> Iterator[Node]:
    items = _items(value, path)
    if len(items) > SEGMENT_LEAVES_MAX:
        raise InvalidField(path, f"must have at most {SEGMENT_LEAVES_MAX} items")
    for position, item in enumerate(items):
        yield _node(item, f"{path}[{position}]", depth)


def _leaf(value: Mapping[str, object], path: str) -> Leaf:
    field = _word(value, "field", path, SegmentField)
    ops = _FORMS[field]
    op = _word(value, "op", path, SegmentOp)
    if op not in ops:
        words = ", ".join(each.value for each in ops)
        raise InvalidField(f"{path}.op", f"must be one of {words}")
    read, keys = ops[op], {"field", "op"}
    if read is not None:
        keys.add("value")
        if "value" not in value:
            raise InvalidField(f"{path}.value", "is required")
    if field in _WITH_DAYS:
        keys.add("withinDays")
    _only(value, path, keys)
    found = None if read is None else read(value["value"], f"{path}.value")
    within = None
    if "withinDays" in value:
        within = _days(value["withinDays"], f"{path}.withinDays")
    return Leaf(field, op, found, within)


def _word(value: Mapping[str, object], key: str, path: str, kind: type[Word]) -> Word:
    if key not in value:
        raise InvalidField(f"{path}.{key}", "is required")
    word = value[key]
    found = next((each for each in kind if each.value == word), None)
    if found is None:
        words = ", ".join(str(each.value) for each in kind)
        raise InvalidField(f"{path}.{key}", f"must be one of {words}")
    return found


def _only(value: Mapping[str, object], path: str, keys: set[str]) -> None:
    for key in value:
        if key not in keys:
            shown = key if key.isidentifier() else "?"
            raise InvalidField(f"{path}.{shown}", "is not known here")


def _items(value: object, path: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise InvalidField(path, "must be an array")
    if not value:
        raise InvalidField(path, "must have at least 1 item")
    return value


def _integer(value: object, path: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise InvalidField(path, "must be a whole number")


def _between(value: object, path: str, lowest: int, highest: int) -> int:
    number = _integer(value, path)
    if not lowest <= number <= highest:
        raise InvalidField(path, f"must be from {lowest} to {highest}")
    return number


def _days(value: object, path: str) -> int:
    return _between(value, path, 1, DAYS_MAX)


def _age(value: object, path: str) -> int:
    return _between(value, path, 0, FILTER_AGE_YEARS_MAX)


def _ages(value: object, path: str) -> tuple[int, ...]:
    items = _items(value, path)
    if len(items) != len(("min", "max")):
        raise InvalidField(path, "must be [min, max]")
    lowest, highest = (_age(each, f"{path}[{place}]") for place, each in enumerate(items))
    if lowest > highest:
        raise InvalidField(path, "must not begin above its end")
    return lowest, highest


def _month(value: object, path: str) -> int:
    return _between(value, path, 1, MONTHS)


def _gender(value: object, path: str) -> str:
    word = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(word, str) or word not in _GENDERS:
        raise InvalidField(path, f"must be one of {', '.join(sorted(_GENDERS))}")
    return word


def _tag(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidField(path, "must be a text")
    try:
        return read_tags([value])[0]
    except InvalidTags:
        raise InvalidField(path, "is not a tag") from None


def _id(value: object, path: str) -> int:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    text = str(value).strip() if is_integer or isinstance(value, str) else ""
    if not _ID.fullmatch(text):
        raise InvalidField(path, "is not an id")
    return int(text)


def _moment(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidField(path, "must be a text")
    try:
        read_moment(value.strip())
    except ValueError:
        raise InvalidField(path, "is not an ISO date-time") from None
    return value.strip()


def _several(read: Callable[[object, str], Scalar]) -> Reader:
    def read_all(value: object, path: str) -> tuple[Scalar, ...]:
        items = _items(value, path)
        return tuple(read(each, f"{path}[{place}]") for place, each in enumerate(items))

    return read_all


_PRESENCE: Final[Mapping[SegmentOp, Reader | None]] = {
    SegmentOp.EXISTS: None,
    SegmentOp.MISSING: None,
}
_MOMENTS: Final[Mapping[SegmentOp, Reader | None]] = {
    SegmentOp.BEFORE: _moment,
    SegmentOp.AFTER: _moment,
    SegmentOp.WITHIN_DAYS: _days,
    SegmentOp.OLDER_THAN_DAYS: _days,
    **_PRESENCE,
}
_DEEDS: Final[Mapping[SegmentOp, Reader | None]] = {
    SegmentOp.IN_CAMPAIGN: _id,
    SegmentOp.EVER: None,
}
_WITH_DAYS: Final = frozenset({SegmentField.CLICKED, SegmentField.REDEEMED})
_FORMS: Final[Mapping[SegmentField, Mapping[SegmentOp, Reader | None]]] = {
    SegmentField.GENDER: {
        SegmentOp.IS: _gender,
        SegmentOp.IN: _several(_gender),
        **_PRESENCE,
    },
    SegmentField.AGE: {
        SegmentOp.EQ: _age,
        SegmentOp.LT: _age,
        SegmentOp.LTE: _age,
        SegmentOp.GT: _age,
        SegmentOp.GTE: _age,
        SegmentOp.BETWEEN: _ages,
    },
    SegmentField.BIRTHDAY_MONTH: {SegmentOp.IS: _month, SegmentOp.IN: _several(_month)},
    SegmentField.TAGS: {
        SegmentOp.HAS: _tag,
        SegmentOp.HAS_ANY: _several(_tag),
        SegmentOp.HAS_ALL: _several(_tag),
        SegmentOp.HAS_NONE: _several(_tag),
    },
    SegmentField.LISTS: {SegmentOp.IN: _several(_id), SegmentOp.NOT_IN: _several(_id)},
    SegmentField.SUBSCRIBED_AT: _MOMENTS,
    SegmentField.CREATED_AT: _MOMENTS,
    SegmentField.LAST_MESSAGED_AT: _MOMENTS,
    SegmentField.CLICKED: _DEEDS,
    SegmentField.REDEEMED: _DEEDS,
}
"""Every field with its operators, and how the value of each is read; None: it takes none."""
