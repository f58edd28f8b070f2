"""gunicorn as we run it: how it ends, and how its processes are exchanged, under load."""

import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.integration.adapters_http.serving import connect, read_answer, served

APPLICATION = "tests.http.things_server:application"


class Load:
    """Clients that never pause: some on one connection each, some on a new one for each call."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.lost: list[str] = []
        self._port = port
        self._lock = threading.Lock()
        kinds = (self._keep_asking, self._ask_anew)
        self._threads = [threading.Thread(target=kinds[n % 2]) for n in range(8)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _count(self, *, answered: bool, what: str = "") -> None:
        with self._lock:
            self.answered += answered
            if not answered:
                self.lost.append(what)

    def _connected(self) -> socket.socket | None:
        try:
            return connect(self._port)
        except OSError:  # refused, so nothing was promised
            return None

    def _exchange(self, connection: socket.socket) -> bool:
        """One call; whether the connection may be used again."""
        try:
            connection.sendall(b"GET /slow/20 HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_answer(connection)
        except OSError as error:
            self._count(answered=False, what=repr(error))
            return False
        self._count(answered=answer is not None and answer.status == 200, what=repr(answer))
        return answer is not None and answer.headers.get("connection") != "close"

    def _keep_asking(self) -> None:
        while (connection := self._connected()) is not None:
            with connection:
                while self._exchange(connection):
                    pass

    def _ask_anew(self) -> None:
        while (connection := self._connected()) is not None:
            with connection:
                self._exchange(connection)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_it_ends_under_load_and_loses_no_request(tmp_path: Path, processes: str) -> None:
    with served(APPLICATION, tmp_path, WEB_CONCURRENCY=processes) as (process, port):
        load = Load(port)
        load.start()
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        load.join()
        assert process.wait(30) == 0

    assert load.lost == []
    assert load.answered > 50


def test_processes_that_are_exchanged_lose_no_request_either(tmp_path: Path) -> None:
    with served(APPLICATION, tmp_path) as (process, port):
        load = Load(port)
        load.start()
        for _ in range(2):
            time.sleep(1.5)
            process.send_signal(signal.SIGHUP)
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        load.join()

    assert load.lost == []
