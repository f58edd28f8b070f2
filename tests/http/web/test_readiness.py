"""Whether a server wants requests (docs/api.md, 3.13), and how it says that it will end."""

import os
from pathlib import Path

import pytest

from tests.contracts.worlds import memory_world
from tests.http.api import Api, api_in_memory, error_of


@pytest.fixture
def drain_file(tmp_path: Path) -> Path:
    return tmp_path / "drain"


@pytest.fixture
def drained(drain_file: Path) -> Api:
    return api_in_memory(memory_world(), DRAIN_FILE=str(drain_file))


def test_a_server_is_ready_while_nobody_asks_it_to_drain(drained: Api, quick_api: Api) -> None:
    assert drained.get("/readiness").json == {"status": "ready"}
    assert quick_api.get("/readiness").json == {"status": "ready"}


def test_a_server_that_is_to_drain_is_not_ready_and_still_serves(
    drained: Api, drain_file: Path
) -> None:
    drain_file.touch()

    assert error_of(drained.get("/readiness")) == (503, "HEALTH_CHECK_ERROR")
    assert drained.get("/healthz").status_code == 200


def test_the_file_of_an_earlier_run_says_nothing(drained: Api, drain_file: Path) -> None:
    drain_file.touch()
    os.utime(drain_file, (1_000_000_000, 1_000_000_000))

    assert drained.get("/readiness").status_code == 200
