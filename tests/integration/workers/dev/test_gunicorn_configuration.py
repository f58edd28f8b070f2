"""gunicorn with our settings file and an application of a few lines."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.dev.embedded.processes import free_port, is_port_free

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 20
GOOD = """
from loguru import logger
def application(environ, start_response):
    logger.info("asked by {}, {}", environ["REMOTE_ADDR"], environ["wsgi.url_scheme"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]
"""
BAD = "raise SystemExit('settings are missing or malformed:\\n  JWT_SECRET: missing')"


@contextmanager
def served(directory: Path, code: str, port: int) -> Iterator[subprocess.Popen[str]]:
    (directory / "tiny.py").write_text(code)
    path = [str(ROOT), str(directory), os.environ.get("PYTHONPATH", "")]
    variables = {"PYTHONPATH": os.pathsep.join(path), "PORT": str(port), "APP_ENV": "test"}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "tiny:application"],
            cwd=ROOT,
            env=os.environ | variables,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def ask(port: int, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    end = time.monotonic() + PATIENCE_SECONDS
    while is_port_free(port) and time.monotonic() < end:
        time.sleep(0.05)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_every_line_is_json_and_forwarded_headers_are_not_believed(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, GOOD, port) as process:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        answer = ask(port, "/", headers)
        assert answer.status == 200
        assert answer.headers["Server"] == "gunicorn"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["process"] for line in lines} == {"api"}
    assert "asked by 127.0.0.1, http" in [line["message"] for line in lines]


def test_lines_and_headers_that_are_too_long_are_refused(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, GOOD, port):
        assert 400 <= ask(port, "/" + "x" * 9000, {}).status < 500
        assert 400 <= ask(port, "/", {"X-Long": "x" * 9000}).status < 500
        assert 400 <= ask(port, "/", {f"X-{number}": "1" for number in range(100)}).status < 500


def test_bad_settings_end_it_before_it_listens(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, BAD, port) as process:
        assert process.wait(PATIENCE_SECONDS) == 1
    text = (tmp_path / "log").read_text()
    assert "JWT_SECRET: missing" in text
    assert "Traceback" not in text
    assert "Listening" not in text
