import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from loguru import logger

from adapters_db.operations.migrate import upgrade
from retail_core.kernel.settings import AppSettings
from workers.cli.running import main

PASSWORD = "long-enough-7"
ACCOUNTS = iter(range(1_000_000))


def _no_logs(_settings: AppSettings) -> None:
    """The logs of a test process are pytest's."""


@attrs.frozen
class Cli:
    """The command line on a database of the tests."""

    variables: Mapping[str, str]
    output: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the JSON that was printed."""
        self.output.readouterr()
        code = main([*words, "--json"], self.variables, _no_logs)
        return code, json.loads(self.output.readouterr().out)

    def account(self) -> str:
        """The e-mail address of a new account on a plan, with 1,000 credits."""
        email = f"cli-{next(ACCOUNTS)}@example.com"
        for words in (
            ("create-account", "--email", email, "--password", PASSWORD, "--sender", "Demo"),
            ("activate-subscription", "--email", email, "--plan", "starter"),
            ("grant-credits", "--email", email, "--credits", "1000", "--reason", "a test"),
        ):
            code, printed = self(*words)
            assert code == 0, printed
        return email


@pytest.fixture
def variables(migrated_database_url: str) -> dict[str, str]:
    return {
        "APP_ENV": "test",
        "DATABASE_URL": migrated_database_url,
        "BCRYPT_COST": "4",
        "LOG_LEVEL": "error",
        "PUBLIC_BASE_URL": "https://example.com",
        "UNSUBSCRIBE_TOKEN_SECRET": "a secret that signs links",
    }


@pytest.fixture
def cli(variables: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(variables, capsys)


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "contacts.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_an_address_can_have_one_account(cli: Cli) -> None:
    email = cli.account()
    code, printed = cli("create-account", "--email", email.upper(), "--password", PASSWORD)
    assert (code, printed["code"]) == (1, "DUPLICATE_RESOURCE")


def test_a_command_for_an_unknown_account_is_refused(cli: Cli) -> None:
    for words in (
        ("set-password", "--password", PASSWORD),
        ("grant-credits", "--credits", "5", "--reason", "r"),
        ("activate-subscription", "--plan", "pro"),
        ("send-campaign", "--name", "n", "--text", "t"),
        ("import-contacts", "file.csv"),
    ):
        code, printed = cli(words[0], "--email", "nobody@example.com", *words[1:])
        assert (code, printed["code"]) == (1, "RESOURCE_NOT_FOUND")


def test_granted_credits_are_in_the_wallet(cli: Cli) -> None:
    email = cli.account()
    code, printed = cli("grant-credits", "--email", email, "--credits", "5", "--reason", "r")
    assert (code, printed["available"], printed["held"]) == (0, 1005, 0)


def test_credits_that_are_no_credits_are_refused(cli: Cli) -> None:
    email = cli.account()
    code, printed = cli("grant-credits", "--email", email, "--credits", "0", "--reason", "r")
    assert (code, printed["code"]) == (1, "VALIDATION_ERROR")
    assert "credits" in printed["fields"]


def test_a_password_is_read_from_the_standard_input_if_it_is_not_given(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    email = cli.account()
    (tmp_path / "password").write_text("another-long-one\n")
    with (tmp_path / "password").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        code, printed = cli("set-password", "--email", email)
    assert (code, printed["sessions"]) == (0, "ended")


def test_a_file_is_imported_when_the_command_ends(cli: Cli, csv: Callable[[str], str]) -> None:
    email = cli.account()
    path = csv("phone,firstName\n6912345678,Μαρία\n6912345679,Ada\nnonsense,Bob\n")
    code, printed = cli("import-contacts", "--email", email, path)
    assert (code, printed["status"]) == (0, "completed")
    assert (printed["created"], printed["skipped"], len(printed["faults"])) == (2, 1, 1)


@pytest.mark.parametrize("text", ["", "name\nAda\n", "\x00\x01\x02"])
def test_a_file_that_is_no_table_of_contacts_is_refused(
    cli: Cli, csv: Callable[[str], str], text: str
) -> None:
    code, printed = cli("import-contacts", "--email", cli.account(), csv(text))
    assert (code, bool(printed["message"])) == (1, True)


def test_a_campaign_holds_its_credits_and_waits_for_a_worker(
    cli: Cli, csv: Callable[[str], str]
) -> None:
    email = cli.account()
    cli("import-contacts", "--email", email, csv("phone\n6912345678\n6912345679\n"))
    code, printed = cli("send-campaign", "--email", email, "--name", "n", "--text", "hello")
    assert (code, printed["queued"], printed["creditsHeld"]) == (0, 2, 2)


def test_a_campaign_for_nobody_or_an_unknown_list_is_refused(cli: Cli) -> None:
    email = cli.account()
    words = ("send-campaign", "--email", email, "--name", "n", "--text", "hello")
    assert cli(*words)[1]["code"] == "NO_RECIPIENTS"
    assert cli(*words, "--list", "4711")[1]["code"] == "RESOURCE_NOT_FOUND"


def test_the_ledger_is_verified_and_a_difference_is_listed(
    cli: Cli, csv: Callable[[str], str], migrated_database_url: str
) -> None:
    email = cli.account()
    cli("import-contacts", "--email", email, csv("phone\n6912345678\n6912345679\n"))
    _, sent = cli("send-campaign", "--email", email, "--name", "n", "--text", "hello")
    campaign = sent["campaignId"]

    def differing() -> tuple[int, list[int]]:
        code, printed = cli("verify-ledger")
        return code, [each["campaign"] for each in printed["campaigns"]]

    code, campaigns = differing()
    assert campaign not in campaigns, "nothing differs before somebody meddles"
    with psycopg.connect(migrated_database_url, autocommit=True) as connection:
        meddle = "UPDATE campaign SET credits_held = credits_held + %s WHERE id = %s"
        connection.execute(meddle, (1, campaign))
        code, campaigns = differing()
        connection.execute(meddle, (-1, campaign))
    assert code == 1
    assert campaign in campaigns


def test_held_credits_that_nothing_open_needs_are_told_with_a_code_and_an_alarm(
    cli: Cli, migrated_database_url: str
) -> None:
    email, lines = cli.account(), list[str]()
    with psycopg.connect(migrated_database_url, autocommit=True) as connection:
        meddle = (
            "UPDATE wallet SET held = held + %s WHERE account_id = "
            "(SELECT id FROM account WHERE email = %s) RETURNING account_id"
        )
        [(account,)] = connection.execute(meddle, (3, email)).fetchall()
        number = logger.add(lambda message: lines.append(str(message)), level="ERROR")
        code, printed = cli("verify-ledger")
        logger.remove(number)
        connection.execute(meddle, (-3, email))

    assert (code, printed["code"]) == (1, "LEDGER_MISMATCH")
    assert {"account": account, "stored": 3, "recomputed": 0} in printed["holds"]
    assert account in [each["account"] for each in printed["wallets"]]
    assert any(f"books of account {account} do not add up" in line for line in lines)


def test_pruning_only_counts_when_asked_to_try(cli: Cli) -> None:
    code, printed = cli("prune", "--dry-run")
    assert (code, printed["dryRun"]) == (0, True)
    assert cli("prune")[0] == 0


def test_stored_calls_are_replayed_from_a_moment_on(
    variables: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    upgrade(url)
    cli = Cli(variables | {"DATABASE_URL": url}, capsys)
    words = ("replay-webhooks", "--provider", "mitto")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO report_inbox (raw, arrived_at, applied_at) SELECT '{}', at, now() "
            "FROM generate_series(timestamptz '2026-11-01 00:00Z', timestamptz '2026-11-01 03:00Z',"
            " interval '1 hour') at"
        )
        later = cli(*words, "--since", "2026-11-01T03:30+01:00")
        nudges = connection.execute("SELECT kind FROM outbox").fetchall()
        waiting = connection.execute(
            "SELECT count(*) FROM report_inbox WHERE applied_at IS NULL"
        ).fetchone()

    assert later == (0, {"provider": "mitto", "calls": 1})
    assert (nudges, waiting) == ([("apply_reports",)], (1,))
    assert cli(*words) == (0, {"provider": "mitto", "calls": 3})


def test_the_operators_deeds_are_listed_the_newest_first(cli: Cli) -> None:
    email = cli.account()

    code, printed = cli("audit", "--email", email)

    assert code == 0
    deeds = [(each["action"], each["agent"], each["details"]) for each in printed["entries"]]
    assert deeds[:2] == [
        ("credits_granted", "operator", {"credits": 1000}),
        ("plan_activated", "operator", {"plan": "starter"}),
    ]
    assert email not in json.dumps(printed)


def test_deeds_are_picked_by_action_and_time(cli: Cli) -> None:
    email = cli.account()

    for words, count in (
        (("--action", "plan_activated"), 1),
        (("--since", "2999-01-01"), 0),
        (("--limit", "1"), 1),
        (("--limit", "0"), 0),
        (("--since", "2020-01-01T00:00Z", "--action", "exported"), 0),
    ):
        code, printed = cli("audit", "--email", email, *words)
        assert (code, len(printed["entries"])) == (0, count), words


def test_migrating_a_migrated_database_changes_nothing(cli: Cli) -> None:
    code, printed = cli("migrate")
    before, after = printed["schema"].split(" -> ")
    assert (code, before) == (0, after)


def test_every_missing_setting_is_named_and_nothing_is_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["send-campaign", "--email", "e", "--name", "n", "--text", "t", "--json"]
    assert main(words, {"APP_ENV": "production"}, _no_logs) == 2
    message = json.loads(capsys.readouterr().out)["message"]
    assert "DATABASE_URL" in message
    assert "PUBLIC_BASE_URL" in message


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no-such-command"],
        ["grant-credits", "--email", "e", "--credits", "many", "--reason", "r"],
        ["activate-subscription", "--email", "e", "--plan", "gold"],
        ["replay-webhooks"],
        ["replay-webhooks", "--provider", "stripes"],
        ["replay-webhooks", "--provider", "mitto", "--since", "yesterday"],
        ["audit", "--action", "everything"],
        ["audit", "--since", "yesterday"],
    ],
)
def test_wrong_words_end_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words, {})
    assert ended.value.code == 2
