"""What the reverse proxy keeps away from the API (deploy/Caddyfile)."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pytest

from tests.http.api import VARIABLES
from tests.integration.adapters_http.serving import ask, call, connect, read_answer
from tests.integration.proxy.caddy import CADDY, CADDYFILE, ROOT, Proxy, proxy
from tests.integration.proxy.crowds import crowd, dribbling
from tests.integration.server.serving import START_SECONDS, Server, serving
from tests.integration.workers.watching import until
from workers.dev.embedded.processes import free_port, is_port_free

pytestmark = pytest.mark.servers
HEAD: Final = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SLOW: Final = 40
AT_ONCE_SECONDS: Final = 5.0
ADDRESS_LIMIT: Final = 30
SEEN_SECONDS: Final = 3
"""The proxy looks every two seconds whether a server is back."""

DRAIN_SECONDS: Final = 5
"""As long as docs/operations.md says from the drain file to the signal to end."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def server(migrated_database_url: str, directory: Path) -> Iterator[Server]:
    """The API with four threads; it believes its proxy."""
    known = {"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMITS_FACTOR": "1"}
    with serving(directory, migrated_database_url, **known) as server:
        yield server


@pytest.fixture(scope="module")
def front(server: Server, directory: Path) -> Iterator[Proxy]:
    """Caddy before it, a little less patient than in production."""
    with proxy(directory, [server.port], HEAD_TIME="4s", BODY_TIME="8s") as front:
        until(lambda: (answer := call(front.port, "GET", "/healthz")) and answer.status == 200)
        yield front


def seconds_of_an_answer(port: int) -> float:
    began = time.monotonic()
    answer = call(port, "GET", "/healthz")
    assert answer is not None
    assert answer.status == 200
    return time.monotonic() - began


class TestSlowClients:
    def test_silent_and_dribbling_ones_keep_nobody_waiting(self, front: Proxy) -> None:
        with (
            crowd(front.port, 200),
            crowd(front.port, 50, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ") as slow,
            dribbling(slow),
        ):
            assert max(seconds_of_an_answer(front.port) for _ in range(5)) < AT_ONCE_SECONDS

    @pytest.mark.parametrize(
        "said",
        [
            HEAD + b"Content-Length: 1000\r\n\r\n",
            HEAD + b'Content-Length: 1000\r\n\r\n{"email":',
            HEAD + b"Content-Length: 1000000\r\n\r\n" + b" " * 100_000,
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
            HEAD + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
            # more than the proxy keeps, so the API refuses it while it is still coming
            HEAD + b"Content-Length: 9000000\r\n\r\n" + b" " * 2_100_000,
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n200b20\r\n" + b" " * 2_100_000,
        ],
    )
    def test_slow_bodies_keep_nobody_waiting(self, front: Proxy, said: bytes) -> None:
        with crowd(front.port, SLOW, said) as slow, dribbling(slow):
            assert max(seconds_of_an_answer(front.port) for _ in range(5)) < AT_ONCE_SECONDS

    def test_who_does_not_end_its_head_is_ended(self, front: Proxy) -> None:
        with connect(front.port) as silent, connect(front.port) as half:
            half.sendall(b"GET /healthz HTTP/1.1\r\n")
            for line in (silent, half):
                answer = read_answer(line)
                assert answer is None or answer.status in {400, 408}


def test_a_forwarded_address_that_a_client_names_has_no_effect(front: Proxy) -> None:
    replies = [
        call(
            front.port,
            "POST",
            "/api/auth/register",
            {},
            X_Forwarded_For=f"198.51.100.{number}",
            Forwarded=f"for=198.51.100.{number}",
        )
        for number in range(ADDRESS_LIMIT + 2)
    ]

    statuses = [reply and reply.status for reply in replies]
    assert statuses == [400] * ADDRESS_LIMIT + [429] * 2


def test_a_body_that_is_too_large_is_refused_in_json(front: Proxy) -> None:
    head = HEAD + b"Content-Length: 60000000\r\n\r\n"

    with connect(front.port) as line:
        line.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(60):
                line.sendall(b" " * 1_000_000)
        with contextlib.suppress(OSError):
            answer = read_answer(line)
            assert answer is None or (answer.status, answer.json["code"]) == (
                413,
                "PAYLOAD_TOO_LARGE",
            )
    assert seconds_of_an_answer(front.port) < AT_ONCE_SECONDS


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_valid_request_does_not_reach_the_api(front: Proxy, raw: bytes) -> None:
    answer = ask(front.port, raw)

    assert answer is not None
    assert answer.status in {400, 501}


def test_while_no_server_answers_clients_are_told_so_in_json(tmp_path: Path) -> None:
    with proxy(tmp_path, [free_port()]) as front:
        answer = call(front.port, "GET", "/api/me")

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


def test_a_name_gets_https_by_itself() -> None:
    adapted = subprocess.run(
        [CADDY, "adapt", "--config", CADDYFILE],
        cwd=ROOT,
        env={"SITE_ADDRESS": "api.example.com", "PATH": os.defpath},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert '"listen":[":443"]' in adapted
    assert '"host":["api.example.com"]' in adapted


class Load:
    """Clients that never pause, of which half do something that must not be done twice."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.lost: list[object] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=(n % 2,)) for n in range(6)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _go_on(self, kind: int) -> None:
        while not self._over.is_set():
            try:
                answer = (
                    call(self._port, "GET", "/healthz")
                    if kind
                    else call(self._port, "POST", "/api/auth/logout", {})
                )
            except OSError as error:
                self.lost.append(error)
                continue
            if answer is not None and answer.status == 200:
                self.answered += 1
            else:
                self.lost.append(answer)


@contextlib.contextmanager
def api(directory: Path, database_url: str, port: int) -> Iterator[None]:
    """One server on a port of ours."""
    variables = {
        **VARIABLES,
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": "4",
        "TRUSTED_PROXIES": "127.0.0.1",
        "DRAIN_FILE": str(directory / f"drain{port}"),
    }
    with (directory / f"api{port}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "adapters_http.wsgi:application"],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: not is_port_free(port), START_SECONDS)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def drain(directory: Path, port: int) -> None:
    """What docs/operations.md says to do before the signal to end."""
    (directory / f"drain{port}").touch()
    time.sleep(DRAIN_SECONDS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_rolling_restart_under_load_loses_no_request(
    tmp_path: Path, migrated_database_url: str
) -> None:
    ports = [free_port(), free_port()]
    with contextlib.ExitStack() as stack:
        running = {port: stack.enter_context(contextlib.ExitStack()) for port in ports}
        for port in ports:
            running[port].enter_context(api(tmp_path, migrated_database_url, port))
        front = stack.enter_context(proxy(tmp_path, ports))
        until(lambda: (answer := call(front.port, "GET", "/healthz")) and answer.status == 200)
        with Load(front.port) as load:
            for port in ports:
                time.sleep(1)
                drain(tmp_path, port)
                running[port].close()
                running[port].enter_context(api(tmp_path, migrated_database_url, port))
                time.sleep(SEEN_SECONDS)
            time.sleep(1)

    assert load.lost == []
    assert load.answered > 50
