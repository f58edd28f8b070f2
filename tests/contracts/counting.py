"""What every place that counts requests must do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from adapters_http.limits.counting import Asked, Counts
from adapters_http.limits.table import By, Limit

Wait: TypeAlias = Callable[[float], None]
WINDOW_SECONDS = 1
THREE = Limit("three", By.ADDRESS, 3, WINDOW_SECONDS)
FIVE = Limit("five", By.EMAIL, 5, WINDOW_SECONDS)
MANY = Limit("many", By.ADDRESS, 25, 60)
LONG = Limit("long", By.ADDRESS, 3, 60)


class CountsContract:
    """Provide `counts`, empty for these names, and `wait`, which lets time pass for them."""

    def test_a_limit_has_room_for_as_many_as_it_says(self, counts: Counts) -> None:
        asked = [Asked(LONG, "a")]

        verdicts = [counts.take(asked) for _ in range(5)]

        assert [each.allowed for each in verdicts] == [True, True, True, False, False]
        assert [each.standing.remaining for each in verdicts] == [2, 1, 0, 0, 0]
        assert all(50 <= each.standing.reset_seconds <= 60 for each in verdicts)

    def test_room_comes_back_when_the_window_is_over(self, counts: Counts, wait: Wait) -> None:
        for _ in range(3):
            counts.take([Asked(THREE, "a")])
        wait(WINDOW_SECONDS + 0.05)

        verdict = counts.take([Asked(THREE, "a")])

        assert (verdict.allowed, verdict.standing.remaining) == (True, 2)

    def test_no_window_holds_more_wherever_it_begins(self, counts: Counts, wait: Wait) -> None:
        asked = [Asked(THREE, "a")]
        assert counts.take(asked).allowed
        wait(0.7 * WINDOW_SECONDS)
        assert [counts.take(asked).allowed for _ in range(2)] == [True, True]
        wait(0.4 * WINDOW_SECONDS)

        assert [counts.take(asked).allowed for _ in range(2)] == [True, False]

    def test_what_is_refused_counts_nowhere(self, counts: Counts, wait: Wait) -> None:
        both = [Asked(LONG, "a"), Asked(MANY, "b")]
        for _ in range(10):
            counts.take(both)

        assert counts.take([Asked(MANY, "b")]).standing.remaining == 25 - 3 - 1

    def test_keys_do_not_meet(self, counts: Counts) -> None:
        for _ in range(3):
            counts.take([Asked(LONG, "a")])

        assert counts.take([Asked(LONG, "b")]).allowed

    def test_the_verdict_tells_of_the_tightest_limit(self, counts: Counts) -> None:
        verdict = counts.take([Asked(MANY, "a"), Asked(LONG, "b")])

        assert (verdict.standing.limit, verdict.standing.remaining) == (LONG, 2)

    def test_side_by_side_no_more_get_in_than_may(self, counts: Counts) -> None:
        with ThreadPoolExecutor(8) as pool:
            verdicts = list(pool.map(lambda _: counts.take([Asked(MANY, "a")]), range(80)))

        assert sum(each.allowed for each in verdicts) == 25
