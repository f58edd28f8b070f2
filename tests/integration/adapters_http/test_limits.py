"""Requests counted by several processes together."""

import multiprocessing
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import redis

from adapters_http.limits.counting import Asked, Counts, Verdict
from adapters_http.limits.shared import SharedCounts, SharedStore
from adapters_http.limits.table import By, Limit
from retail_core.testing.kernel.clock import FixedClock
from tests.contracts.counting import LONG, MANY, CountsContract, Wait

TWO_PROCESSES = 2
TRIES = 30


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as found:
        yield found


class Named:
    """Counts under names of one test alone."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._test = secrets.token_hex(4)

    def take(self, asked: Sequence[Asked]) -> Verdict:
        return self._counts.take([Asked(each.limit, f"{self._test}{each.key}") for each in asked])


class TestSharedCounts(CountsContract):
    @pytest.fixture
    def counts(self, client: redis.Redis) -> Counts:
        return Named(SharedCounts(client))

    @pytest.fixture
    def wait(self) -> Wait:
        return time.sleep


def test_all_limits_of_a_request_are_decided_in_one_call(client: redis.Redis) -> None:
    counts = Named(SharedCounts(client))
    counts.take([Asked(LONG, "a")])  # now the server knows the script
    calls: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        send: Any = redis.Redis.execute_command

        def count(self: redis.Redis, *words: Any, **options: Any) -> Any:
            calls.append(words[0])
            return send(self, *words, **options)

        patch.setattr(redis.Redis, "execute_command", count)
        counts.take([Asked(LONG, "a"), Asked(MANY, "b"), Asked(MANY, "c")])

    assert calls == ["EVALSHA"]


def test_a_server_that_forgot_the_script_learns_it_again(client: redis.Redis) -> None:
    counts = Named(SharedCounts(client))
    client.script_flush()

    assert [counts.take([Asked(LONG, "a")]).standing.remaining for _ in range(2)] == [2, 1]


def test_nothing_stays_in_redis_longer_than_its_window(client: redis.Redis) -> None:
    key = secrets.token_hex(4)
    SharedCounts(client).take([Asked(LONG, key)])

    assert 0 < client.pttl(key) <= LONG.window_seconds * 1000


def _take(redis_url: str, key: str, ready: Any, results: Any) -> None:
    with redis.Redis.from_url(redis_url) as client:
        counts = SharedCounts(client)
        ready.wait()
        results.put(sum(counts.take([Asked(MANY, key)]).allowed for _ in range(TRIES)))


def test_two_processes_share_their_counts(redis_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(TWO_PROCESSES), context.Queue()
    key = secrets.token_hex(4)
    processes = [
        context.Process(target=_take, args=(redis_url, key, ready, results))
        for _ in range(TWO_PROCESSES)
    ]
    for process in processes:
        process.start()

    taken = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)

    assert sum(taken) == MANY.requests_max


def test_without_an_address_a_process_counts_alone() -> None:
    limit = Limit("one", By.ADDRESS, 1, 60)
    counts = SharedStore.at(None).counts(FixedClock())

    assert [counts.take([Asked(limit, "a")]).allowed for _ in range(2)] == [True, False]
