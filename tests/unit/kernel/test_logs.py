import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from loguru import logger

from retail_core.kernel.process import logs
from retail_core.kernel.process.redaction import (
    TEXT_CHARACTERS_MAX,
    TRACEBACK_CHARACTERS_MAX,
    redacted,
    redacted_lines,
    redacted_value,
)
from retail_core.kernel.settings import AppEnv, AppSettings, LogFormat, LogLevel, SettingsError


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    logging.captureWarnings(capture=False)
    logging.root.handlers[:], logging.root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks
    logger.remove()
    logger.configure(extra={})


@pytest.fixture
def harmless_logs() -> None:
    """Here secrets are logged on purpose, to see them hidden."""


def configured(log_format: LogFormat, level: LogLevel = LogLevel.INFO) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(logger, AppSettings(AppEnv.TEST, level, log_format), "api", stream)
    return stream


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_one_json_object_with_process_and_bound_ids() -> None:
    stream = configured(LogFormat.JSON)
    with logger.contextualize(requestId="r-1"):
        logger.bind(route="/api/me", status=200).info("answered\nin two lines")
    with logger.contextualize(jobKind="dispatch", jobKey="k:1"):
        logger.warning("slow")
    first, second = lines_of(stream)
    assert first["message"] == "answered\nin two lines"
    assert (first["process"], first["level"], first["requestId"]) == ("api", "info", "r-1")
    assert (first["route"], first["status"]) == ("/api/me", 200)
    assert first["time"].endswith("Z")
    assert (second["jobKind"], second["jobKey"]) == ("dispatch", "k:1")
    assert "requestId" not in second


def test_text_has_no_colours_unless_the_stream_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    stream = configured(LogFormat.TEXT)
    logger.bind(batch=7).info("sent")
    assert stream.getvalue().rstrip().endswith("INFO     sent batch=7")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = configured(LogFormat.TEXT)
    logger.info("sent")
    assert "\x1b[36mINFO" in stream.getvalue()


def test_text_does_not_repeat_what_the_message_says() -> None:
    stream = configured(LogFormat.TEXT)
    logger.bind(status=200, route="/api/me", milliseconds=4.2, account=None).info("GET /api/me 200")
    assert stream.getvalue().rstrip().endswith("INFO     GET /api/me 200 milliseconds=4.2")


def test_a_message_cannot_forge_a_line_or_paint_the_terminal() -> None:
    stream = configured(LogFormat.TEXT)
    logger.info("a\n12:00:00 CRITICAL forged\x1b[31m\r")
    assert "\n12:00" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_what_other_libraries_log_and_warn_comes_out_of_the_same_place() -> None:
    stream = configured(LogFormat.JSON)
    logging.getLogger("rq.worker").warning("job %s failed {oops}", "k-1")
    logging.getLogger("sqlalchemy").debug("not shown")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = lines_of(stream)
    assert (first["logger"], first["message"]) == ("rq.worker", "job k-1 failed {oops}")
    assert second["logger"] == "py.warnings"


def test_an_exception_is_written_without_secrets_and_without_variables() -> None:
    stream = configured(LogFormat.JSON)

    def fail() -> None:
        hidden_variable = "hunter2"
        message = f"refused postgresql://u:pass-{len(hidden_variable)}@h/db"
        raise RuntimeError(message)

    try:
        fail()
    except RuntimeError:
        logger.exception("no database")
    (line,) = lines_of(stream)
    assert "RuntimeError" in line["exception"]
    assert "pass-7" not in line["exception"]
    assert "hunter2'" not in line["exception"]


def test_an_uncaught_error_is_logged_as_json() -> None:
    stream = configured(LogFormat.JSON)
    sys.excepthook(ValueError, ValueError("?secret=abc"), None)
    (line,) = lines_of(stream)
    assert line["level"] == "critical"
    assert "abc" not in line["exception"]


def test_bad_settings_are_told_without_a_traceback() -> None:
    stream = configured(LogFormat.JSON)
    sys.excepthook(SettingsError, SettingsError(("JWT_SECRET: missing",)), None)
    (line,) = lines_of(stream)
    assert line["message"] == "settings are missing or malformed:\n  JWT_SECRET: missing"
    assert "exception" not in line


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("POST /webhooks/mitto/dlr?secret=abc123&x=1", "abc123"),
        ("GET /reset-password?token=abc123", "abc123"),
        ("{'password': 'abc123'}", "abc123"),
        ('{"refreshToken":"abc123"}', "abc123"),
        ("WEBHOOK_SECRET=abc123", "abc123"),
        ("X-Webhook-Token=abc123", "abc123"),
        ("Authorization: Bearer abcdefabcdef123", "abcdef"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "eyJ"),
        ("key sk_live_abc123 refused", "abc123"),
        ("whsec_abc123", "abc123"),
        ("redis://:abc123@h:6379/0", "abc123"),
        ("sent to +306912345678", "306912345"),
        ("sent to +30 691 234 5678.", "691 234"),
        ("from=00306912345678", "306912345"),
        ("from 306912345678", "912345"),
        ("6912345678", "912345"),
        ("Invalid request from ip=127.0.0.1: Invalid HTTP method: 'Persephone'", "Perse"),
        ('Invalid request from ip=127.0.0.1: Unsupported transfer coding: "O\'Neil"', "Neil"),
        ("ana.lo+shop@mail.example.com is taken", "ana"),
        ("DETAIL:  Key (email)=(x) already exists.", "(x)"),
        ("DETAIL:  Failing row contains (1, Persephone, null).", "Persephone"),
        ('CONTEXT:  COPY contact, line 1, column name: "Persephone"', "Persephone"),
        ('invalid input syntax for type integer: "Persephone"', "Persephone"),
    ],
)
def test_secrets_and_phone_numbers_do_not_reach_a_log(text: str, hidden: str) -> None:
    assert hidden not in redacted(text)
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T01:57:11.601Z +0200",
        "batch 3f2504e0-4f89-11d3-9a0c-0305e82c3301 sent in 1764000000000 ms",
        "campaign 17 has 5000 messages, tokens are counted",
        "the token bucket is empty; secret sharing is not",
        "https://shop.example/s/Ab3?x=1",
        "1e+12345678",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redacted(text) == text


def test_bound_values_are_redacted_by_name_and_by_content() -> None:
    value = {"apiKey": "abc", "to": ["+306912345678"], "count": 6912345678, "ok": None}
    assert redacted_value(value) == {
        "apiKey": "***",
        "to": ["+306*******78"],
        "count": 6912345678,
        "ok": None,
    }


@pytest.mark.parametrize("people", [1_000, 1_000_000])
def test_no_line_grows_with_the_data_that_it_is_about(people: int) -> None:
    numbers = [f"+3069{each:08d}" for each in range(people)]
    stream = configured(LogFormat.JSON)
    logger.bind(people=numbers, seen={"who": numbers}).opt(
        exception=ValueError(f"the database refused {numbers}")
    ).error(f"failed for {numbers}")

    (line,) = stream.getvalue().splitlines()

    assert len(line) < 4 * TEXT_CHARACTERS_MAX
    assert "+3069******99" not in line
    assert json.loads(line)["exception"].startswith("ValueError: the")


def test_of_a_long_traceback_both_ends_are_shown() -> None:
    lines = ["first\n", *[f"frame {each:04d} of many\n" for each in range(5_000)], "last: why\n"]

    shown = redacted_lines(lines)

    assert shown.startswith("first\nframe 0000")
    assert shown.endswith("frame 4999 of many\nlast: why")
    assert len(shown) < TRACEBACK_CHARACTERS_MAX + 100


def test_a_secret_at_the_end_of_what_is_shown_is_left_out_as_a_whole() -> None:
    filler = "x " * (TEXT_CHARACTERS_MAX // 2 - 30)

    shown = [redacted(filler + "x" * width + " +306912345678" * 9) for width in range(60)]

    assert not any("+3069" in text for text in shown)
    assert all(redacted(text) == text for text in shown)
