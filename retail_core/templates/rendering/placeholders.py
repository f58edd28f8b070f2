"""Placeholders: taking a text apart."""

import enum
import re
from collections.abc import Mapping
from typing import Final

import attrs


class Field(enum.IntEnum):
    """What a placeholder stands for."""

    FIRST_NAME = 0
    LAST_NAME = 1
    EMAIL = 2
    OFFER_URL = 3
    UNSUBSCRIBE_URL = 4
    STORE_NAME = 5


MERGE_FIELDS: Final = (Field.FIRST_NAME, Field.LAST_NAME, Field.EMAIL)
"""The fields whose values come from the contact, in the order in which renderers take them."""

_FIELDS_BY_NAME: Final[Mapping[str, Field]] = {
    "firstname": Field.FIRST_NAME,
    "first_name": Field.FIRST_NAME,
    "lastname": Field.LAST_NAME,
    "last_name": Field.LAST_NAME,
    "email": Field.EMAIL,
    "storename": Field.STORE_NAME,
    "offerurl": Field.OFFER_URL,
    "unsubscribeurl": Field.UNSUBSCRIBE_URL,
}
_PLACEHOLDER: Final = re.compile(r"\{\{((?:(?!\{\{).)*?)\}\}", re.DOTALL)


@attrs.frozen
class Placeholder:
    """One `{{name|fallback}}`: its field, the name as it was spelled, and the fallback or ""."""

    field: Field
    spelling: str
    fallback: str = ""


@attrs.frozen
class ParsedText:
    """A text taken apart: literal strings and placeholders in order.

    `unknown` holds the names of placeholders that mean nothing; a text with such may be shown,
    where they stay as they are, but neither saved nor sent.
    """

    pieces: tuple[str | Placeholder, ...]
    unknown: tuple[str, ...] = ()

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """All placeholders with a meaning, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Placeholder))

    @property
    def fields(self) -> frozenset[Field]:
        """The merge fields used; only these need be frozen with an audience."""
        return frozenset(each.field for each in self.placeholders).intersection(MERGE_FIELDS)

    @property
    def uses_offer_url(self) -> bool:
        """Whether the text places the offer link itself."""
        return any(each.field is Field.OFFER_URL for each in self.placeholders)

    @property
    def uses_unsubscribe_url(self) -> bool:
        """Whether the text places the opt-out link itself."""
        return any(each.field is Field.UNSUBSCRIBE_URL for each in self.placeholders)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names as they are spelled, each once, in order of first use."""
        return tuple(dict.fromkeys(each.spelling for each in self.placeholders))

    def missing(self, values: Mapping[Field, str | None]) -> tuple[str, ...]:
        """The spellings that stand somewhere with neither a value nor a fallback."""
        return tuple(
            dict.fromkeys(
                each.spelling
                for each in self.placeholders
                if not each.fallback and is_blank(values.get(each.field))
            )
        )


def is_blank(value: str | None) -> bool:
    """Whether a value counts as missing, so that the fallback takes its place."""
    return not value or value.isspace()


def parse(text: str) -> ParsedText:
    """Take a text apart. Never fails: a `{{` without `}}` is plain text."""
    pieces: list[str | Placeholder] = []
    unknown: list[str] = []
    literal = ""
    end = 0
    for found in _PLACEHOLDER.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        name, _, fallback = (part.strip() for part in found[1].partition("|"))
        field = _FIELDS_BY_NAME.get(name.lower())
        if field is None:
            unknown.append(name)
            literal += found[0]
            continue
        pieces += [literal, Placeholder(field, name, fallback)]
        literal = ""
    pieces.append(literal + text[end:])
    return ParsedText(tuple(piece for piece in pieces if piece), tuple(dict.fromkeys(unknown)))
