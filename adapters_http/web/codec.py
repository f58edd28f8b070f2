"""From JSON to frozen values and back: strict on the way in, camelCase on both ways.

Nothing is guessed: a text is no number, 1 is not true, and a list of one is not its item. Texts
are trimmed. Keys nobody asked for are ignored.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Final, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import BaseValidationError, ClassValidationError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from adapters_http.web.context import Request
from adapters_http.web.fields import Constraint, PhoneText
from retail_core.kernel.changes import Keep
from retail_core.kernel.errors import FieldFault, RuleViolation

T = TypeVar("T")
Hook: TypeAlias = Callable[[Any, Any], object]

DIGITS_MAX: Final = 20
FAULTS_MAX: Final = 50
_INTEGER: Final = re.compile(rf"-?[0-9]{{1,{DIGITS_MAX}}}")


def body(req: Request, kind: type[T]) -> T:
    """The body as a value of `kind`. Raises RuleViolation with the path of every wrong field."""
    return structure(req.context.document, kind, from_text=req.context.from_form)


def query(req: Request, kind: type[T]) -> T:
    """The parameters of the query as a value of `kind`. Raises RuleViolation as `body` does."""
    return structure(req.context.query, kind, from_text=True)


def structure(source: Mapping[str, object], kind: type[T], *, from_text: bool = False) -> T:
    """A value of `kind` from plain data; `from_text` also takes the words `true` and `false`."""
    converter = _FROM_TEXT if from_text else _FROM_JSON
    try:
        return converter.structure(source, kind)
    except (BaseValidationError, ValueError, TypeError) as error:
        faults = tuple(_faults(error, ""))[:FAULTS_MAX]
        first = faults[0]
        message = f"{first.path}: {first.message}" if first.path else first.message
        raise RuleViolation(message, fields=faults) from None


def prepare(kind: type[object]) -> None:
    """Build what `body` and `query` need for this type, so that a bad type stops the start."""
    _FROM_JSON.get_structure_hook(kind)
    _FROM_TEXT.get_structure_hook(kind)


def shape(value: object) -> Any:  # noqa: ANN401 - plain data of any shape
    """A frozen value as plain data with camelCase keys; times stay times until they are written."""
    return _TO_JSON.unstructure(value)


def key(name: str) -> str:
    """The JSON key of a field: `first_name` is `firstName`."""
    head, *rest = name.strip("_").split("_")
    return head + "".join(word.capitalize() for word in rest)


def _text(value: object, _kind: object) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a text")
    return value.strip()


def _integer(value: object, _kind: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise TypeError("must be a whole number")


def _number(value: object, _kind: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError("must be a number")


def _number_from_text(value: object, _kind: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value.strip()):
        return float(value)
    raise TypeError("must be a number")


def _flag(value: object, _kind: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("must be true or false")


def _flag_from_text(value: object, kind: object) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.strip() in words:
        return words[value.strip()]
    return _flag(value, kind)


def _phone(value: object, _kind: object) -> str:
    """Spreadsheets and forms make numbers of phone numbers, so a number is taken too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value, str)


def _is_enumeration(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _unless_enumeration(hook: Hook) -> Hook:
    """The hook of a class is also asked for the enumerations below it, such as a StrEnum."""

    def make(value: object, kind: Any) -> object:  # noqa: ANN401 - cattrs passes types as values
        return (_word if _is_enumeration(kind) else hook)(value, kind)

    return make


def _word(value: object, kind: type[Enum]) -> Enum:
    found = next((each for each in kind if each.value == value), None)
    if found is None or isinstance(value, bool):
        raise TypeError(f"must be one of {', '.join(str(each.value) for each in kind)}")
    return found


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401 - cattrs passes types as values
    return get_origin(kind) is tuple


def _is_constrained(kind: object) -> bool:
    return get_origin(kind) is Annotated and any(
        isinstance(each, Constraint) for each in get_args(kind)[1:]
    )


def _constrained(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - as above
    plain, *notes = get_args(kind)
    constraints = [each for each in notes if isinstance(each, Constraint)]

    def make(value: object, _kind: object) -> object:
        made: object = converter.structure(value, plain)
        for constraint in constraints:
            constraint.check(made)
        return made

    return make


def _may_be_absent(kind: object) -> bool:
    return get_origin(kind) in (Union, UnionType) and Keep in get_args(kind)


def _sent(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - as above
    """KEEP is what an absent key leaves behind, never something that can be sent."""
    union: Any = Union
    rest = union[tuple(each for each in get_args(kind) if each is not Keep)]
    return lambda value, _kind: converter.structure(value, rest)


def _array(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - as above
    generic: Any = list
    items = generic[get_args(kind)[0]]
    is_form = converter is _FROM_TEXT

    def make(value: object, _kind: object) -> tuple[object, ...]:
        if is_form and isinstance(value, str):  # a form repeats the name of an array's field
            value = [value] if value.strip() else []
        if not isinstance(value, list):
            raise TypeError("must be an array")
        return tuple(converter.structure(value, items))

    return make


def _keys(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    return {each.name: override(rename=key(each.name)) for each in attrs.fields(kind)}


def _object(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - as above
    make_known = make_dict_structure_fn(kind, converter, **_keys(kind))

    def make(value: object, _kind: object) -> object:
        if not isinstance(value, Mapping):
            raise TypeError("must be an object")
        return make_known(value, kind)

    return make


def _plain(kind: Any, converter: cattrs.Converter) -> Callable[[object], dict[str, Any]]:  # noqa: ANN401 - as above
    return make_dict_unstructure_fn(kind, converter, **_keys(kind))


def _reader(*, from_text: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    flag, number = (_flag_from_text, _number_from_text) if from_text else (_flag, _number)
    for kind, hook in ((str, _text), (int, _integer), (float, number), (bool, flag)):
        converter.register_structure_hook(kind, _unless_enumeration(hook))
    converter.register_structure_hook_func(_is_enumeration, _word)
    converter.register_structure_hook(PhoneText, _phone)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook_factory(attrs.has, _object)
    converter.register_structure_hook_factory(_is_tuple, _array)
    converter.register_structure_hook_factory(_is_constrained, _constrained)
    converter.register_structure_hook_factory(_may_be_absent, _sent)
    return converter


def _writer() -> cattrs.Converter:
    converter = cattrs.Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook_factory(attrs.has, _plain)
    return converter


def _faults(error: BaseException, path: str) -> "list[FieldFault]":
    """Every leaf of a tree of errors with the dotted path to it."""
    match error:
        case ClassValidationError():
            inner, loose = error.group_exceptions()
            steps = [(each, f"{path}.{key(note.name)}".lstrip(".")) for each, note in inner]
        case IterableValidationError():
            inner_items, loose = error.group_exceptions()
            steps = [(each, f"{path}[{note.index}]") for each, note in inner_items]
        case KeyError():
            return [FieldFault(path, "is required")]
        case ValueError() | TypeError():
            return [FieldFault(path, str(error))]
        case _:
            return [FieldFault(path, "is not valid")]
    steps.extend((each, path) for each in loose)
    return [fault for each, step in steps for fault in _faults(each, step)]


_FROM_JSON: Final = _reader(from_text=False)
_FROM_TEXT: Final = _reader(from_text=True)
_TO_JSON: Final = _writer()
