"""Requests counted by one process."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters_http.limits.counting import Asked, Counts, KeyNames, LocalCounts
from adapters_http.limits.table import By, Limit
from retail_core.kernel.secrets import SecretText
from retail_core.testing.kernel.clock import FixedClock
from tests.contracts.counting import CountsContract, Wait

LIMIT = Limit("few", By.ADDRESS, 4, 60)


class TestLocalCounts(CountsContract):
    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock()

    @pytest.fixture
    def counts(self, clock: FixedClock) -> Counts:
        return LocalCounts(clock)

    @pytest.fixture
    def wait(self, clock: FixedClock) -> Wait:
        return lambda seconds: clock.advance(timedelta(seconds=seconds))


@given(st.lists(st.integers(0, 30_000), max_size=60))
def test_no_window_ever_holds_more_than_its_limit(pauses: list[int]) -> None:
    clock = FixedClock()
    counts = LocalCounts(clock)
    taken: list[float] = []
    for pause in pauses:
        clock.advance(timedelta(milliseconds=pause))
        if counts.take([Asked(LIMIT, "a")]).allowed:
            taken.append(clock.now().timestamp())

    for at in taken:
        assert sum(at - LIMIT.window_seconds < each <= at for each in taken) <= LIMIT.requests_max


@given(st.lists(st.integers(0, 30_000), max_size=60))
def test_whoever_waits_as_long_as_they_were_told_gets_in(pauses: list[int]) -> None:
    clock = FixedClock()
    counts = LocalCounts(clock)
    for pause in pauses:
        clock.advance(timedelta(milliseconds=pause))
        verdict = counts.take([Asked(LIMIT, "a")])
        if not verdict.allowed:
            clock.advance(timedelta(seconds=verdict.standing.reset_seconds))
            assert counts.take([Asked(LIMIT, "a")]).allowed


class TestMemory:
    def test_strangers_are_counted_in_crowds_when_it_is_full(self) -> None:
        counts = LocalCounts(FixedClock(), keys_max=10)
        for number in range(10):
            counts.take([Asked(LIMIT, f"known{number}")])

        crowd = [counts.take([Asked(LIMIT, f"{number}ff")]).allowed for number in range(10)]

        assert crowd == [True] * 4 + [False] * 6
        assert len(counts._slots) <= 11
        assert counts.take([Asked(LIMIT, "known3")]).standing.remaining == 2

    def test_what_is_over_makes_room(self) -> None:
        clock = FixedClock()
        counts = LocalCounts(clock, keys_max=10)
        for number in range(10):
            counts.take([Asked(LIMIT, f"old{number}")])
        clock.advance(timedelta(seconds=61))

        assert counts.take([Asked(LIMIT, "new")]).allowed
        assert list(counts._slots) == ["new"]


def test_names_tell_nobody_who_is_counted() -> None:
    names = KeyNames.of(SecretText("a secret"))
    name = names.name(LIMIT, "someone@example.com")

    assert "someone" not in name
    assert name == names.name(LIMIT, "someone@example.com")
    assert name != names.name(Limit("other", By.EMAIL, 4, 60), "someone@example.com")
    assert name != KeyNames.of(SecretText("another")).name(LIMIT, "someone@example.com")
    assert names.name(LIMIT, "\ud800")
