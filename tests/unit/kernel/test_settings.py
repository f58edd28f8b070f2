import doctest
import pickle
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import attrs
import pytest

from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import (
    AppEnv,
    AppSettings,
    Env,
    LogFormat,
    LogLevel,
    SettingsError,
    env,
    read_dotenv,
    read_env,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def problems_of(reading: Env) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        reading.finish()
    return caught.value.problems


def test_the_example_in_the_documentation_is_true() -> None:
    outcome = doctest.testmod(env, report=True)
    assert outcome.attempted > 5
    assert outcome.failed == 0


def test_all_missing_and_malformed_variables_are_named_at_once() -> None:
    reading = Env({"PORT": "http", "RATE": "much", "KEY_SECRET": "short"})
    reading.text("FRONTEND_URL")
    reading.integer("PORT", default=3001)
    reading.decimal("RATE", default=Decimal(1))
    reading.secret("KEY_SECRET", bytes_min=32)
    reading.secret("ACCOUNT", also=("OLD_ACCOUNT", "OLDER_ACCOUNT"))
    with pytest.raises(SettingsError) as caught:
        reading.finish()
    assert str(caught.value) == (
        "settings are missing or malformed:\n"
        "  ACCOUNT: missing (nor OLD_ACCOUNT or OLDER_ACCOUNT)\n"
        "  FRONTEND_URL: missing\n"
        "  KEY_SECRET: is shorter than 32 bytes\n"
        "  PORT: 'http' is not a whole number\n"
        "  RATE: 'much' is not a decimal number"
    )


def test_a_bad_secret_or_address_is_never_shown() -> None:
    reading = Env({"A": "hunter2", "B": "ftp://u:hunter2@host/x", "C": "hunter2 hunter2"})
    reading.secret("A", bytes_min=32)
    reading.secret_url("B", schemes=("postgresql",))
    reading.url("C")
    assert "hunter2" not in "".join(problems_of(reading))


def test_a_development_default_holds_in_development_only() -> None:
    development = Env({"APP_ENV": "development"})
    assert development.text("FRONTEND_URL", development="") == ""
    assert development.finish() == ()
    for app_env in ("production", "test"):
        reading = Env({"APP_ENV": app_env})
        reading.text("FRONTEND_URL", development="")
        assert problems_of(reading) == ("FRONTEND_URL: missing",)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, AppEnv.PRODUCTION),
        ({"NODE_ENV": "test"}, AppEnv.TEST),
        ({"APP_ENV": "Development", "NODE_ENV": "test"}, AppEnv.DEVELOPMENT),
        ({"APP_ENV": "", "NODE_ENV": "development"}, AppEnv.DEVELOPMENT),
    ],
)
def test_app_env_comes_before_node_env_and_is_production_by_default(
    variables: dict[str, str], expected: AppEnv
) -> None:
    assert Env(variables).app_env is expected


def test_an_unknown_app_env_is_a_problem_and_counts_as_production() -> None:
    reading = Env({"APP_ENV": "staging"})
    assert reading.app_env is AppEnv.PRODUCTION
    assert problems_of(reading) == ("APP_ENV: 'staging' is none of production, development, test",)


def test_an_empty_variable_counts_as_not_set() -> None:
    reading = Env({"PORT": "  "})
    assert reading.integer("PORT", default=3001) == 3001
    assert not reading.given("PORT")


def test_an_older_name_is_read_if_the_first_is_not_set() -> None:
    reading = Env({"MITTO_TRAFFIC_ACCOUNT_ID": "t-1"})
    account = reading.text("SMS_TRAFFIC_ACCOUNT_ID", also=("MITTO_TRAFFIC_ACCOUNT_ID",))
    assert account == "t-1"


@pytest.mark.parametrize("raw", ["3.5", "1e3", "٣", "0x10", "--1", "70000", "-1"])
def test_a_port_is_a_plain_number_within_bounds(raw: str) -> None:
    reading = Env({"PORT": raw})
    reading.integer("PORT", minimum=1, maximum=65_535)
    assert len(problems_of(reading)) == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("15m", timedelta(minutes=15)),
        ("30D", timedelta(days=30)),
        ("12 h", timedelta(hours=12)),
        ("1500ms", timedelta(seconds=1.5)),
        ("90", timedelta(seconds=90)),
    ],
)
def test_a_span_of_time_has_a_unit_or_is_in_seconds(raw: str, expected: timedelta) -> None:
    assert Env({"TTL": raw}).duration("TTL") == expected


@pytest.mark.parametrize("raw", ["soon", "1y", "-5m", "0", "999999999d"])
def test_a_span_without_sense_or_bounds_is_a_problem(raw: str) -> None:
    reading = Env({"TTL": raw})
    reading.duration("TTL", default=timedelta(minutes=1))
    assert len(problems_of(reading)) == 1


def test_flags_choices_lists_and_networks_are_read() -> None:
    reading = Env(
        {
            "ON": "Yes",
            "OFF": "0",
            "COLOUR": "BLUE",
            "ORIGINS": "https://a.example, ,https://b.example,",
            "PROXIES": "10.0.0.0/8, ::1",
        }
    )
    assert reading.flag("ON")
    assert not reading.flag("OFF")
    assert reading.choice("COLOUR", Colour, default=Colour.RED) is Colour.BLUE
    assert reading.csv("ORIGINS") == ("https://a.example", "https://b.example")
    assert [str(network) for network in reading.networks("PROXIES")] == ["10.0.0.0/8", "::1/128"]
    assert reading.finish() == ()


def test_flags_choices_and_networks_refuse_what_they_do_not_know() -> None:
    reading = Env({"ON": "maybe", "COLOUR": "green", "PROXIES": "10.0.0.0/8,everyone"})
    reading.flag("ON")
    reading.choice("COLOUR", Colour, default=Colour.RED)
    reading.networks("PROXIES")
    assert [line.partition(":")[0] for line in problems_of(reading)] == ["COLOUR", "ON", "PROXIES"]


@pytest.mark.parametrize(
    "raw",
    ["example.com", "javascript:alert(1)", "https://", "http://h:port", "http://a b", "x://h"],
)
def test_an_address_needs_a_known_scheme_and_a_host(raw: str) -> None:
    reading = Env({"PUBLIC_BASE_URL": raw})
    reading.url("PUBLIC_BASE_URL")
    assert len(problems_of(reading)) == 1


def test_an_address_loses_its_last_slash_and_may_be_an_allowed_word() -> None:
    reading = Env({"PUBLIC_BASE_URL": "https://shop.example/", "FRONTEND_URL": "None"})
    assert reading.url("PUBLIC_BASE_URL") == "https://shop.example"
    assert reading.url("FRONTEND_URL", words=("none",)) == "none"


def test_a_form_of_the_callers_own_is_parsed_and_its_fault_shown() -> None:
    def even(raw: str) -> int:
        if int(raw) % 2:
            msg = "is odd"
            raise ValueError(msg)
        return int(raw)

    reading = Env({"A": "4", "B": "5"})
    assert reading.parsed("A", even, default=2) == 4
    reading.parsed("B", even, default=2)
    assert problems_of(reading) == ("B: '5' is odd",)


def test_redis_comes_from_its_address_or_from_the_legacy_parts() -> None:
    assert Env({"REDIS_URL": "redis://h:1/2"}).redis_url() == SecretText("redis://h:1/2")
    parts = {"REDIS_HOST": "h", "REDIS_PASSWORD": "p@s/s", "REDIS_DB": "3", "REDIS_TLS": "1"}
    assert Env(parts).redis_url() == SecretText("rediss://:p%40s%2Fs@h:6379/3")


def test_redis_may_be_disabled_but_not_in_production() -> None:
    assert Env({"REDIS_URL": "disabled", "APP_ENV": "development"}).redis_url() is None
    reading = Env({"REDIS_URL": "disabled"})
    reading.redis_url()
    assert problems_of(reading) == ("REDIS_URL: 'disabled' is for development",)


def test_redis_missing_is_a_problem() -> None:
    reading = Env({})
    reading.redis_url()
    assert problems_of(reading) == ("REDIS_URL: missing",)


def test_dropped_variables_are_warned_of_and_the_old_word_for_warning_is_known() -> None:
    reading = Env({"BITLY_API_TOKEN": "x", "LOG_LEVEL": "warn", "LOG_FORMAT": "text"})
    settings = AppSettings.read(reading)
    assert settings.log_level is LogLevel.WARNING
    assert settings.log_format is LogFormat.TEXT
    assert reading.finish() == ("BITLY_API_TOKEN is no longer used and was ignored",)


def test_a_short_secret_of_links_is_warned_of_without_showing_it() -> None:
    for secret, beginnings in (("", []), ("x" * 32, []), ("hunter2" * 4, ["UNSUBSCRIBE_TOKEN_"])):
        reading = Env({"UNSUBSCRIBE_TOKEN_SECRET": secret})
        AppSettings.read(reading)
        warnings = reading.finish()
        assert [warning[:18] for warning in warnings] == beginnings
        assert "hunter2" not in str(warnings)


def test_a_dotenv_file_is_read_with_quotes_comments_and_exports(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nA=1\nexport B = two words # remark\nC='#kept'\nD=\"x y\"\nE=\nF=a#b\n"
    )
    assert read_dotenv(path) == {
        "A": "1",
        "B": "two words",
        "C": "#kept",
        "D": "x y",
        "E": "",
        "F": "a#b",
    }


def test_a_dotenv_file_that_is_not_there_has_no_variables(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}


def test_a_bad_line_is_named_by_number_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nhunter2\n")
    with pytest.raises(ValueError, match="line 2: not NAME=value") as caught:
        read_dotenv(path)
    assert "hunter2" not in str(caught.value)


def test_files_are_read_in_development_and_the_process_wins_over_them(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    (tmp_path / "var" / "secrets.env").write_text("B=made\nC=made\n")
    reading = read_env({"APP_ENV": "development", "A": "process"}, tmp_path)
    assert [reading.text(name) for name in "ABC"] == ["process", "file", "made"]
    assert not read_env({"A": "process"}, tmp_path).given("B")


def test_a_secret_is_printed_in_no_way() -> None:
    @attrs.frozen
    class Holder:
        key: SecretText

    secret = SecretText("hunter2")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>5}", repr(Holder(secret))]
    assert not any("hunter2" in text for text in shown)
    assert secret.reveal() == "hunter2"
    assert secret.reveal_bytes() == b"hunter2"


def test_a_secret_can_be_neither_pickled_nor_changed() -> None:
    secret = SecretText("hunter2")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(AttributeError):
        secret._text = "other"


def test_a_secret_matches_its_text_only_and_an_empty_one_matches_nothing() -> None:
    secret = SecretText("Μυστικό")
    assert secret.matches("Μυστικό")
    assert secret.matches("Μυστικό".encode())
    assert not secret.matches("μυστικό")
    assert not secret.matches("\ud800")
    assert not SecretText("").matches("")
    assert secret == SecretText("Μυστικό")
    assert hash(secret) == hash(SecretText("Μυστικό"))
    assert secret != "Μυστικό"
