"""Columns give back the very values they were given."""

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, IntEnum

import attrs
import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text

from adapters_db.connection.columns import EnumNumber, EnumText, JsonOf, PhoneDigits, UtcTime
from adapters_db.connection.connections import Connections
from retail_core.kernel.addresses.phones import PhoneNumber


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@attrs.frozen
class Shape:
    corners: int
    name: str
    parts: "tuple[Shape, ...]" = ()


TABLE = Table(
    "thing",
    MetaData(),
    Column("phone", PhoneDigits),
    Column("colour", EnumText(Colour)),
    Column("size", EnumNumber(Size)),
    Column("at", UtcTime),
    Column("shape", JsonOf(Shape)),
    prefixes=["TEMPORARY"],
)


def round_trip(connections: Connections, **values: object) -> dict[str, object]:
    with connections.sweep() as connection:
        connection.execute(text("SET LOCAL timezone = 'Asia/Kolkata'"))
        TABLE.create(connection)
        connection.execute(insert(TABLE).values(**values))
        row = connection.execute(select(TABLE)).one()
        TABLE.drop(connection)
    return {name: row._mapping[name] for name in values}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("phone", PhoneNumber("+306984303406")),
        ("phone", PhoneNumber("+999999999999999")),
        ("colour", Colour.RED),
        ("size", Size.LARGE),
        ("at", datetime(2026, 11, 24, 1, 57, 11, 601123, tzinfo=UTC)),
        ("shape", Shape(3, "τρίγωνο", (Shape(1, "point"),))),
        *[(name, None) for name in ("phone", "colour", "size", "at", "shape")],
    ],
)
def test_a_value_comes_back_as_it_was(connections: Connections, column: str, value: object) -> None:
    assert round_trip(connections, **{column: value}) == {column: value}


def test_a_time_of_any_zone_comes_back_in_utc(connections: Connections) -> None:
    athens = datetime(2026, 11, 24, 3, 57, tzinfo=timezone(timedelta(hours=2)))

    back = round_trip(connections, at=athens)["at"]

    assert isinstance(back, datetime)
    assert (back, back.tzinfo) == (athens, UTC)


def test_a_time_without_a_zone_is_refused(connections: Connections) -> None:
    with pytest.raises(Exception, match="without a zone"):
        round_trip(connections, at=datetime(2026, 11, 24))  # noqa: DTZ001 - the point
