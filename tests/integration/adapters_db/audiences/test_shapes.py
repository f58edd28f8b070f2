"""PostgreSQL finds the shape of a value as Python does."""

import re

from hypothesis import given
from hypothesis import strategies as st

from adapters_db.connection.connections import Connections
from adapters_db.messages.batches.merge_groups import shape_of
from retail_core.templates.encoding import SHAPES
from tests.odd_names import NAMES

_FOUND = f"SELECT {shape_of('v')} FROM unnest(%s::text[]) WITH ORDINALITY AS u (v, n) ORDER BY n"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def shape_in_python(value: str) -> str:
    for shape in SHAPES:
        if re.fullmatch(shape.pattern, value):
            return shape.stand_in * len(value)
    return value


@given(values=st.lists(NAMES | TEXTS, max_size=100))
def test_both_find_the_same_shapes(connections: Connections, values: list[str]) -> None:
    with connections.sweep(read_only=True) as connection:
        found = connection.exec_driver_sql(_FOUND, (values,)).scalars().all()

    assert list(found) == [shape_in_python(value) for value in values]


def test_every_character_has_the_shape_that_python_finds(connections: Connections) -> None:
    characters = [chr(code) for code in range(1, 0x11000) if not 0xD800 <= code < 0xE000]
    with connections.sweep(read_only=True) as connection:
        found = connection.exec_driver_sql(_FOUND, (characters,)).scalars().all()

    assert list(found) == [shape_in_python(character) for character in characters]
