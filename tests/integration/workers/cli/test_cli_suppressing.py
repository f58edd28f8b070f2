"""Numbers that the operator bars for all stores."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.workers.cli.test_cli import Cli

ANA, BOB = "+306984309901", "+306984309902"


@pytest.fixture
def cli(migrated_database_url: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    variables: Mapping[str, str] = {
        "APP_ENV": "test",
        "DATABASE_URL": migrated_database_url,
        "LOG_LEVEL": "error",
    }
    return Cli(variables, capsys)


def test_numbers_are_barred_and_freed_again(cli: Cli) -> None:
    words = ("--phone", ANA, "--phone", "6984309902")
    assert cli("suppress", *words, "--note", "a court order") == (0, {"numbers": 2, "added": 2})
    assert cli("suppress", *words) == (0, {"numbers": 2, "added": 0})
    assert cli("suppress", *words, "--remove") == (0, {"numbers": 2, "removed": 2})
    assert cli("suppress", *words, "--remove") == (0, {"numbers": 2, "removed": 0})


def test_a_file_is_taken_as_a_whole_or_not_at_all(cli: Cli, tmp_path: Path) -> None:
    register = tmp_path / "register.txt"
    register.write_text(f"{ANA}\nnobody\n\n", encoding="utf-8")
    refused = (1, {"changed": 0, "linesWithoutNumber": [2]})
    assert cli("suppress", "--file", str(register)) == refused

    register.write_text(f"{ANA}\r\n\r\n{BOB}\r\n{ANA}", encoding="utf-8-sig")
    assert cli("suppress", "--file", str(register)) == (0, {"numbers": 2, "added": 2})
    assert cli("suppress", "--file", str(register), "--remove")[0] == 0


def test_a_file_that_cannot_be_read_is_refused(cli: Cli, tmp_path: Path) -> None:
    binary = tmp_path / "register.bin"
    binary.write_bytes(b"\xff\xfe\xff")
    for path in (binary, tmp_path / "none.txt"):
        code, printed = cli("suppress", "--file", str(path))
        assert (code, printed["code"]) == (1, "VALIDATION_ERROR")
