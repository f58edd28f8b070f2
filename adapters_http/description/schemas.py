"""From the types of bodies, parameters and replies to JSON Schema."""

import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NewType, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs

from adapters_http.web import codec
from adapters_http.web.fields import Between, Characters, Described, Items, PhoneText
from retail_core.kernel.changes import Keep

Schema: TypeAlias = dict[str, Any]
REFERENCE: Final = "#/components/schemas/"
_DIGITS: Final = rf"^-?[0-9]{{1,{codec.DIGITS_MAX}}}$"
_OUT: Final[Mapping[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date-time"},
    object: {},
    Any: {},
    type(None): {"type": "null"},
}


class Way(enum.Enum):
    """Which way a value goes: that decides what else is taken for it."""

    BODY = "body"
    """In JSON or a form: whole numbers may also be texts of digits."""
    QUERY = "query"
    """In an address: everything is text, and nothing is null."""
    REPLY = "reply"
    """On its way out, exactly as its type says."""


class Schemas:
    """Makes schemas, and keeps those of classes under the classes' names.

    `closed` makes schemas of replies that allow no further key, for tests that compare a reply
    with its type; clients are told that further keys may come.
    """

    def __init__(self, *, closed: bool = False) -> None:
        self.components: dict[str, Schema] = {}
        self._closed = closed
        self._owners: dict[str, object] = {}
        self._names: dict[tuple[object, Way], str] = {}

    def of(self, kind: Any, way: Way) -> Schema:  # noqa: ANN401 - types are values here
        """The schema of a type."""
        if way is Way.BODY and kind is int:
            return {"type": ["integer", "string"], "pattern": _DIGITS}
        if kind in _OUT:
            return dict(_OUT[kind])
        origin = get_origin(kind)
        if origin is Annotated:
            return self._annotated(kind, way)
        if origin in (Union, types.UnionType):
            return self._union(get_args(kind), way)
        if origin is typing.NotRequired:
            return self.of(get_args(kind)[0], way)
        return self._container(kind, origin, way)

    def fields(self, kind: type[Any], way: Way) -> list[tuple[str, Schema, bool]]:
        """Key, schema and whether it must be there, of each field of an attrs class."""
        hints = typing.get_type_hints(kind, include_extras=True)
        return [
            (
                codec.key(field.name),
                self.of(hints[field.name], way) | _default(field.default, way),
                field.default is attrs.NOTHING or _is_required(hints[field.name]),
            )
            for field in attrs.fields(kind)
        ]

    def _container(self, kind: Any, origin: Any, way: Way) -> Schema:  # noqa: ANN401 - as above
        if origin is typing.Literal:
            return {"enum": list(get_args(kind))}
        if typing.is_typeddict(origin or kind):
            return self._typed(kind, origin or kind)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(get_args(kind)[1], way)}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(get_args(kind)[0], way)}
        return self._scalar(kind, way)

    def _scalar(self, kind: Any, way: Way) -> Schema:  # noqa: ANN401 - as above
        if isinstance(kind, NewType):
            phone = {"type": ["string", "integer"]}
            return phone if kind is PhoneText else self.of(kind.__supertype__, way)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"type": "string", "enum": [each.value for each in kind]}
        if attrs.has(kind):
            make = functools.partial(self._attrs, kind, way)
            return self._named(kind, kind.__name__, way, make)
        raise TypeError(f"the description knows no schema for {kind}")

    def _annotated(self, kind: Any, way: Way) -> Schema:  # noqa: ANN401 - as above
        plain, *notes = get_args(kind)
        schema = self.of(plain, way)
        for note in notes:
            match note:
                case Characters(at_least, at_most):
                    schema |= {"minLength": at_least} if at_least else {}
                    schema |= {"maxLength": at_most}
                case Items(at_least, at_most):
                    schema |= {"minItems": at_least, "maxItems": at_most}
                case Between(at_least, at_most):
                    schema |= {"minimum": at_least, "maximum": at_most}
                case Described(text, instead, example):
                    schema = schema if instead is None else dict(instead)
                    schema |= {"description": text} if text else {}
                    schema |= {} if example is None else {"examples": [example]}
                case _:
                    raise TypeError(f"the description does not know {note}")
        return schema

    def _union(self, kinds: tuple[Any, ...], way: Way) -> Schema:
        nothing = {Keep, type(None)} if way is Way.QUERY else {Keep}
        schemas = [self.of(kind, way) for kind in kinds if kind not in nothing]
        if len(schemas) == 1:
            return schemas[0]
        null = {"type": "null"}
        rest = [schema for schema in schemas if schema != null]
        if len(rest) == 1 and len(schemas) > 1:
            return _nullable(rest[0])
        return {"anyOf": schemas}

    def _named(self, kind: object, name: str, way: Way, make: Callable[[], Schema]) -> Schema:
        """A class has one schema, unless it is read more leniently than it is written."""
        owner = self._owners.setdefault(name, kind)
        assert owner is kind, f"two shapes are called {name}; give one another name"
        if (kind, way) not in self._names:
            self._names[kind, way] = name  # also for a class that holds itself
            schema = make()
            if self.components.get(name, schema) != schema:
                self._names[kind, way] = name + way.value.capitalize()
            self.components[self._names[kind, way]] = schema
        return {"$ref": REFERENCE + self._names[kind, way]}

    def _attrs(self, kind: type[Any], way: Way) -> Schema:
        fields = self.fields(kind, way)
        properties = {key: schema for key, schema, _ in fields}
        # a reply has all its keys, whatever their defaults
        required = [key for key, _, needed in fields if needed or way is Way.REPLY]
        return self._object(kind, properties, required, way)

    def _typed(self, kind: Any, plain: Any) -> Schema:  # noqa: ANN401 - as above
        given = dict(zip(getattr(plain, "__parameters__", ()), get_args(kind), strict=False))

        def make() -> Schema:
            hints = typing.get_type_hints(plain, include_extras=True)
            properties = {
                key: self.of(_filled(hint, given), Way.REPLY) for key, hint in hints.items()
            }
            required = [key for key in hints if key in plain.__required_keys__]
            return self._object(plain, properties, required, Way.REPLY)

        return make() if given else self._named(plain, plain.__name__, Way.REPLY, make)

    def _object(
        self, kind: object, properties: Schema, required: Sequence[str], way: Way
    ) -> Schema:
        schema: Schema = {"type": "object", "properties": properties}
        if inspect.getdoc(kind):
            schema["description"] = " ".join((inspect.getdoc(kind) or "").split())
        if required:
            schema["required"] = list(required)
        if self._closed and way is Way.REPLY:
            schema["additionalProperties"] = False
        return schema


def _filled(hint: Any, given: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - types are values here
    """A hint of a generic shape with its variables replaced."""
    if isinstance(hint, TypeVar):
        return given[hint]
    inner = getattr(hint, "__parameters__", ())
    return hint[tuple(given[each] for each in inner)] if inner else hint


def _nullable(schema: Schema) -> Schema:
    """The same, or null."""
    kind = schema.get("type")
    if kind is None or "enum" in schema:
        if not schema:
            return schema
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = kind if isinstance(kind, list) else [kind]
    return schema | {"type": [*kinds, "null"]}


def _is_required(hint: Any) -> bool:  # noqa: ANN401 - types are values here
    notes = getattr(hint, "__metadata__", ())
    return any(isinstance(note, Described) and note.is_required for note in notes)


def _default(value: object, way: Way) -> Schema:
    if value is attrs.NOTHING or isinstance(value, Keep) or way is Way.REPLY:
        return {}
    plain = value.value if isinstance(value, enum.Enum) else value
    return {"default": plain} if isinstance(plain, str | int | float) else {}
