"""Reading ahead in a thread: the same items, the same errors, and no thread that stays."""

import threading
from collections.abc import Iterator

import pytest

from workers.readers.reading_ahead import BATCHES_AHEAD, read_ahead


def test_all_items_come_in_their_order() -> None:
    with read_ahead(iter(range(50))) as items:
        assert list(items) == list(range(50))


def test_it_is_never_far_ahead() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    with read_ahead(source()) as items:
        for number in items:
            assert len(read) <= number + BATCHES_AHEAD + 2


def test_an_error_of_the_source_is_raised_where_the_items_are_wanted() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with read_ahead(source()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="broken"):
            next(items)


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()

    with read_ahead(iter(range(1_000))) as items:
        next(items)

    assert threading.active_count() == before
