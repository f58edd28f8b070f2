"""The real API in two processes: what they must share, and what survives the death of one."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.http.api import PASSWORD, VARIABLES
from tests.integration.adapters_http.serving import Answer, call, log_of, served

PROCESSES = 2
SIDE_BY_SIDE = 16
LOGINS_MAX = 50
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def variables(migrated_database_url: str, redis_url: str) -> dict[str, str]:
    return VARIABLES | {
        "DATABASE_URL": migrated_database_url,
        "REDIS_URL": redis_url,
        "RATE_LIMITS_FACTOR": "1",
        "WEB_CONCURRENCY": str(PROCESSES),
    }


@pytest.fixture(scope="module")
def port(directory: Path, variables: dict[str, str]) -> Iterator[int]:
    with served("adapters_http.wsgi:application", directory, **variables) as (_, port):
        yield port


def sign_up(port: int) -> str:
    email = f"two{next(_numbers)}@shop.example"
    answer = call(port, "POST", "/api/auth/register", {"email": email, "password": PASSWORD})
    assert answer is not None
    assert answer.status == 201, answer.body
    return str(answer.json["accessToken"])


def pids_of(directory: Path, port: int, template: str) -> set[int]:
    """The processes that answered there."""
    lines = [json.loads(line) for line in log_of(directory, port).splitlines()]
    return {line["pid"] for line in lines if line.get("route") == template}


def test_both_count_together(directory: Path, port: int) -> None:
    def log_in(number: int) -> int:
        body = {"email": f"nobody{number}@shop.example", "password": "x"}
        answer = call(port, "POST", "/api/auth/login", body)
        assert answer is not None
        return answer.status

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        statuses = list(pool.map(log_in, range(LOGINS_MAX + 20)))

    assert statuses.count(401) == LOGINS_MAX
    assert statuses.count(429) == 20
    assert len(pids_of(directory, port, "/api/auth/login")) == PROCESSES


def test_the_same_key_makes_one_contact_however_many_ask_at_once(
    directory: Path, port: int
) -> None:
    token = sign_up(port)

    def create(_: int) -> Answer:
        body = {"phone": "+306984303406", "firstName": "Ana"}
        answer = call(port, "POST", "/api/contacts", body, token=token, Idempotency_Key="k")
        assert answer is not None
        return answer

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        answers = list(pool.map(create, range(2 * SIDE_BY_SIDE)))

    done = [answer for answer in answers if answer.status == 201]
    waiting = [answer for answer in answers if answer.status != 201]
    assert len({answer.body for answer in done}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    assert {(each.status, each.json["code"]) for each in waiting} <= {
        (409, "IDEMPOTENCY_IN_PROGRESS")
    }
    assert all(each.headers["retry-after"] == "1" for each in waiting)
    assert len(pids_of(directory, port, "/api/contacts")) == PROCESSES
    listed = call(port, "GET", "/api/contacts", token=token)
    assert listed is not None
    assert listed.json["total"] == 1


def test_a_process_that_dies_before_it_keeps_the_reply_loses_nothing(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    mark = tmp_path / "die"
    application = "tests.integration.adapters_http.dying_server:application"
    with served(application, tmp_path, **variables, DIES_ONCE_AT=str(mark)) as (_, port):
        token = sign_up(port)
        mark.touch()

        def create() -> Answer | None:
            body = {"phone": "+306984303406"}
            try:
                return call(port, "POST", "/api/contacts", body, token=token, Idempotency_Key="k")
            except OSError:
                return None

        first = create()
        assert first is None
        end = time.monotonic() + 20
        while (repeat := create()) is None:
            assert time.monotonic() < end
            time.sleep(0.2)
        listed = call(port, "GET", "/api/contacts", token=token)

    assert (repeat.status, repeat.headers["idempotency-replayed"]) == (201, "true")
    assert repeat.json["phone"] == "+306984303406"
    assert listed is not None
    assert listed.json["total"] == 1
