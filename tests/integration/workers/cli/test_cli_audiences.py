"""Audiences on the command line: counted by reason, and explained."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.integration.workers.cli.test_cli import Cli

ROWS = "phone,tags,subscribed\n6984303406,vip,yes\n6984303407,,yes\n6984303408,vip,no\n"
VIP = '{"field":"tags","op":"has","value":"vip"}'


@pytest.fixture
def cli(migrated_database_url: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(
        {
            "APP_ENV": "test",
            "DATABASE_URL": migrated_database_url,
            "BCRYPT_COST": "4",
            "LOG_LEVEL": "error",
            "PUBLIC_BASE_URL": "https://example.com",
            "UNSUBSCRIBE_TOKEN_SECRET": "a secret that signs links",
        },
        capsys,
    )


@pytest.fixture
def email(cli: Cli, tmp_path: Path) -> str:
    """A shop with three contacts, one of whom left."""
    email, path = cli.account(), tmp_path / "contacts.csv"
    path.write_text(ROWS, encoding="utf-8")
    assert cli("import-contacts", "--email", email, str(path))[0] == 0
    return email


def test_an_audience_is_counted_by_reason(cli: Cli, email: str) -> None:
    code, found = cli("audience", "--email", email, "--segment", VIP)
    _, everybody = cli("audience", "--email", email)
    _, listed = cli("audience", "--email", email, "--list", "all")

    assert code == 0
    assert (found["matched"], found["recipients"]) == (2, 1)
    assert found["excluded"] == dict.fromkeys(found["excluded"], 0) | {"notSubscribed": 1}
    assert (everybody["matched"], everybody["recipients"]) == (3, 2)
    assert (listed["matched"], listed["recipients"]) == (2, 2)


def test_a_campaign_is_counted_and_explained(
    cli: Cli, email: str, contacts_of: Callable[[str], list[int]]
) -> None:
    _, sent = cli("send-campaign", "--email", email, "--name", "Sale", "--text", "Hello")
    campaign = str(sent["campaignId"])

    _, counted = cli("audience", "--email", email, "--campaign", campaign)
    told = [
        cli("why", "--email", email, "--campaign", campaign, "--contact", str(contact))[1]
        for contact in contacts_of(email)
    ]
    code, nobody = cli("why", "--email", email, "--campaign", campaign, "--contact", "2147483647")

    assert (counted["matched"], counted["recipients"]) == (3, sent["queued"])
    assert [each["isRecipient"] for each in told] == [True, True, False]
    assert [each["reason"] for each in told] == [None, None, "notSubscribed"]
    assert (code, nobody["code"]) == (1, "RESOURCE_NOT_FOUND")


@pytest.fixture
def contacts_of(migrated_database_url: str) -> Callable[[str], list[int]]:
    def ids(email: str) -> list[int]:
        with psycopg.connect(migrated_database_url) as connection:
            rows = connection.execute(
                "SELECT c.id FROM contact c JOIN account a ON a.id = c.account_id "
                "WHERE a.email = %s ORDER BY c.phone",
                (email,),
            )
            return [number for (number,) in rows]

    return ids


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--list", "2147483647"), "RESOURCE_NOT_FOUND"),
        (("--list", "9999999999"), "RESOURCE_NOT_FOUND"),
        (("--list", "vip"), "RESOURCE_NOT_FOUND"),
        (("--segment", "{"), "VALIDATION_ERROR"),
        (("--segment", '{"all":[]}'), "VALIDATION_ERROR"),
        (("--campaign", "2147483647"), "RESOURCE_NOT_FOUND"),
    ],
)
def test_an_audience_that_cannot_be_meant_is_refused(
    cli: Cli, words: tuple[str, ...], code: str
) -> None:
    status, printed = cli("audience", "--email", cli.account(), *words)

    assert (status, printed["code"]) == (1, code)
