"""Closing an account from the command line: exported, erased, countable, and safe to repeat."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters_db.operations.migrate import upgrade
from tests.integration.workers.cli.test_cli import PASSWORD, Cli

SECRETS = ("Άννα", "anna@example.com", "6984303401", "Very private sale")
CSV = "phone,firstName,email\n6984303401,Άννα,anna@example.com\n6984303402,,\n"


@pytest.fixture
def cli(new_database: Callable[[], str], capsys: pytest.CaptureFixture[str]) -> Cli:
    """On a database of its own: everything in it is looked through."""
    url = new_database()
    upgrade(url)
    return Cli(
        {
            "APP_ENV": "test",
            "DATABASE_URL": url,
            "BCRYPT_COST": "4",
            "LOG_LEVEL": "error",
            "PUBLIC_BASE_URL": "https://example.com",
            "UNSUBSCRIBE_TOKEN_SECRET": "a secret that signs links",
        },
        capsys,
    )


@pytest.fixture
def email(cli: Cli, tmp_path: Path) -> str:
    """A shop with two contacts and a draft."""
    email = cli.account()
    file = tmp_path / "contacts.csv"
    file.write_text(CSV, encoding="utf-8")
    assert cli("import-contacts", "--email", email, str(file))[0] == 0
    return email


def draft(cli: Cli, email: str, state: str = "draft") -> None:
    with psycopg.connect(cli.variables["DATABASE_URL"]) as connection:
        connection.execute(
            "INSERT INTO campaign (account_id, name, message_text, include_offer, state, "
            "created_at, updated_at) SELECT id, 'Very private sale', 'Γεια {{firstName}}', true, "
            "%s, now(), now() FROM account WHERE email = %s",
            (state, email),
        )


def everything(cli: Cli) -> str:
    """All rows of all tables, as text."""
    with psycopg.connect(cli.variables["DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        rows = [
            connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables
        ]
    return str(rows)


def exported(directory: Path, kind: str) -> list[dict[str, Any]]:
    (account,) = directory.iterdir()
    lines = (account / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_nothing_personal_is_left_and_the_books_add_up(
    cli: Cli, email: str, tmp_path: Path
) -> None:
    draft(cli, email)
    assert all(secret in everything(cli) for secret in (*SECRETS, email))

    words = ("--email", email, "--export", str(tmp_path / "out"), "--yes")
    code, printed = cli("close-account", *words)

    assert code == 0, printed
    assert printed["rowsErased"] > 0
    left = everything(cli)
    assert [secret for secret in (*SECRETS, email, "Demo") if secret in left] == []
    assert cli("verify-ledger")[0] == 0
    again = cli("close-account", "--email", email, "--yes")
    assert (again[0], again[1]["code"]) == (1, "RESOURCE_NOT_FOUND")
    assert cli("set-password", "--email", email, "--password", PASSWORD)[0] == 1
    assert cli("create-account", "--email", email, "--password", PASSWORD)[0] == 0


def test_the_owner_gets_all_their_data(cli: Cli, email: str, tmp_path: Path) -> None:
    draft(cli, email)

    cli("close-account", "--email", email, "--export", str(tmp_path / "out"), "--yes")

    out = tmp_path / "out"
    assert exported(out, "account")[0]["email"] == email
    first, second = exported(out, "contacts")
    assert (first["phone"], first["first_name"]) == ("+306984303401", "Άννα")
    assert [each["source"] for each in first["consents"]] == ["import"]
    assert second["email"] is None
    assert exported(out, "campaigns")[0]["name"] == "Very private sale"
    assert [each["amount"] for each in exported(out, "ledger")] == [1_000]
    assert exported(out, "messages") == []
    assert not (out / "account.part").exists()
    told = cli("audit", "--action", "exported")[1]["entries"]
    assert [(each["kind"], each["agent"]) for each in told] == [("account", "operator")]


@pytest.mark.parametrize("state", ["scheduled", "sending"])
def test_an_account_that_is_sending_is_left_as_it_is(cli: Cli, email: str, state: str) -> None:
    if state == "scheduled":
        draft(cli, email, state)
    else:
        words = ("--email", email, "--name", "Sale", "--text", "Hello")
        assert cli("send-campaign", *words)[0] == 0

    before = everything(cli)
    code, printed = cli("close-account", "--email", email, "--yes")

    assert (code, printed["code"]) == (1, "INVALID_STATUS")
    assert printed["obstacles"]
    assert everything(cli) == before


def test_without_a_yes_nothing_happens(
    cli: Cli, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(cli)
    for answer in ("", "no\n", "y\n"):
        monkeypatch.setattr("sys.stdin", _Answering(answer))
        code, printed = cli("close-account", "--email", email)
        assert (code, "Not confirmed" in printed["message"]) == (1, True)
    assert everything(cli) == before

    monkeypatch.setattr("sys.stdin", _Answering("yes\n"))
    assert cli("close-account", "--email", email)[0] == 0


class _Answering:
    """Somebody at the terminal."""

    def __init__(self, line: str) -> None:
        self.line = line

    def readline(self) -> str:
        return self.line


def test_who_died_in_the_middle_repeats_it_and_keeps_the_first_export(
    cli: Cli, email: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ("close-account", "--email", email, "--export", str(out), "--yes")
    with monkeypatch.context() as patch:
        patch.setattr("retail_core.accounts.use_cases.closing.ROWS_PER_TRANSACTION_MAX", 1)
        patch.setattr("adapters_db.accounts.closing.ERASURES", ("SELECT 1 / 0",))
        with pytest.raises(Exception, match="division by zero"):
            cli(*words)
    assert len(exported(out, "contacts")) == 2

    code, printed = cli(*words)

    assert code == 0, printed
    assert len(exported(out, "contacts")) == 2
    left = everything(cli)
    assert [secret for secret in (*SECRETS, email) if secret in left] == []


def test_an_export_that_cannot_be_written_erases_nothing(
    cli: Cli, email: str, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")

    words = ("--email", email, "--export", str(tmp_path / "out"), "--yes")
    code, printed = cli("close-account", *words)

    assert (code, printed["code"]) == (1, "VALIDATION_ERROR")
    assert "Άννα" in everything(cli)
