"""Questions that are compiled once and asked with a transaction around them in one message.

For what nearly every request asks: to build, compile and look up a statement each time costs more
than PostgreSQL needs to answer it, and each round trip costs as much again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import psycopg
from sqlalchemy import Dialect, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

_DIALECT: Final[Dialect] = PGDialect_psycopg()  # type: ignore[no-untyped-call]

Row: TypeAlias = tuple[Any, ...]
Reader: TypeAlias = Callable[[Any], Any]


@attrs.frozen
class Question:
    """A SELECT as text with `%(name)s` for its values, and what makes domain values of columns."""

    sql: str
    constants: Mapping[str, object]
    readers: tuple[tuple[int, Reader], ...]

    @classmethod
    def of(cls, statement: "Select[Any]") -> "Question":
        """Compile a statement whose `bindparam`s without a value are asked for each time."""
        compiled = statement.compile(dialect=_DIALECT)
        readers = [
            (place, column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None))
            for place, column in enumerate(statement.selected_columns)
        ]
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), constants, tuple((at, read) for at, read in readers if read))

    def asked(self, **values: object) -> "Asked":
        """The question with values, which travel as they are."""
        return Asked(self, values)

    def read(self, row: Sequence[Any]) -> Row:
        """A row as the domain sees it."""
        if not self.readers:
            return tuple(row)
        found = list(row)
        for place, reader in self.readers:
            found[place] = reader(found[place])
        return tuple(found)


@attrs.frozen
class Asked:
    """A question with its values."""

    question: Question
    values: Mapping[str, object] = attrs.field(repr=False)

    def text(self, driver: "psycopg.Connection[Any]") -> str:
        """All of it, the values quoted by the driver."""
        values = {**self.question.constants, **self.values}
        return psycopg.ClientCursor(driver).mogrify(self.question.sql, values)


def answers(
    driver: "psycopg.Connection[Any]", opening: bytes, asked: Sequence[Asked]
) -> list[list[Row]]:
    """Begin, ask everything, commit: one message, and the rows for each question."""
    texts = [each.text(driver).encode() for each in asked]
    with driver.cursor() as cursor:
        cursor.execute(b";".join((opening, *texts, b"COMMIT")))
        found: list[list[Row]] = []
        for place, each in enumerate(asked):
            cursor.set_result(place - len(asked) - 1)
            found.append([each.question.read(row) for row in cursor.fetchall()])
    return found
