"""The search of all logs finds what it is for."""

from pathlib import Path

import pytest
from loguru import logger

from tests import harmless_logs as logs


@pytest.mark.parametrize(
    "line",
    [
        "sent to +306900000001",
        "sent to 6984303406.",
        '{"phone": 306900000001}',
        "from 00306900000001",
        "ana@example.com signed in",
        "token eyJhbGciOi.eyJzdWIi.c2ln",
        "rt=" + "0a" * 64,
        "key rsk_12345678_x",
        "the password is correct horse",
        "?secret=the gateway's secret",
    ],
)
def test_what_has_the_form_of_something_personal_is_found(line: str) -> None:
    assert len(list(logs.findings(["fine", line]))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "sent to +306*******01",
        f'"requestId": "{"6912345678" + "cd4ed0b5a5af" + "6923456789"}"',
        "0.6912345678 seconds, 1764000000000 ms, batch 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        '"time": "2026-11-24T01:57:11.601Z", "pid": 12345',
        "postgresql://retail@127.0.0.1:5432/retail",
    ],
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert list(logs.findings([line])) == []


def test_what_a_request_said_is_found_however_deep() -> None:
    logs.used_in({"to": ["6012345678", {"firstName": "Persephone"}], "status": "delivered"})

    found = list(logs.findings(["a Persephone", "6012345678", "delivered"], logs._used))

    assert len(found) == 2


def test_what_this_process_logs_is_seen_whatever_happens_to_the_sinks() -> None:
    logger.bind(number=5).info("one")
    try:
        raise ValueError("two")  # noqa: TRY301 - it is to be logged here
    except ValueError:
        logger.exception("failed")

    assert any('"message": "one"' in line and '"number": 5' in line for line in logs._lines)
    assert any("ValueError: two" in line for line in logs._lines)


def test_a_file_that_proves_nothing_is_no_proof(tmp_path: Path) -> None:
    (tmp_path / "api.log").touch()

    with pytest.raises(AssertionError, match="proves nothing"):
        logs.findings_in([tmp_path / "api.log"])
