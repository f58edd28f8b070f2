"""Pinning a plan where the planner cannot know better than we do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

_SWITCHES: Final = (
    "enable_seqscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_bitmapscan",
    "enable_material",
)
BY_INDEX: Final = ";".join(f"SET LOCAL {switch} = off" for switch in _SWITCHES).encode()
_AS_EVER: Final = ";".join(f"SET LOCAL {switch} TO DEFAULT" for switch in _SWITCHES).encode()


@contextmanager
def by_index(driver: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[None]:
    """Within it a few thousand keys are looked up one by one, however large the tables are.

    The planner would rather read a million rows than look for five thousand of them: it takes
    every page for one on the disk, and it is misled where statistics are old. Where there are none
    it takes any part of a table for half a percent, and would read that part once for each key.
    """
    driver.execute(BY_INDEX)
    yield
    driver.execute(_AS_EVER)
