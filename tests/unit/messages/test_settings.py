"""Reading the operator's policy."""

import json
from datetime import time, timedelta
from pathlib import Path

import pytest

from retail_core.accounts.model import Weekday
from retail_core.audiences.model import FrequencyCap
from retail_core.audiences.settings import frequency_cap
from retail_core.engagement import model as engagement
from retail_core.engagement.model import Keyword, Keywords
from retail_core.engagement.settings import keywords
from retail_core.kernel.settings import Env, SettingsError
from retail_core.messages.quiet_hours import BUILT_IN, OFF, Holiday, QuietPolicy, QuietRule
from retail_core.messages.settings import quiet_policy


def read(**variables: str) -> QuietPolicy:
    env = Env(variables)
    policy = quiet_policy(env)
    env.finish()
    return policy


def file(folder: Path, content: object) -> str:
    path = folder / "policy.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.mark.parametrize(
    ("variables", "policy"),
    [
        ({}, BUILT_IN),
        ({"APP_ENV": "production"}, BUILT_IN),
        ({"APP_ENV": "production", "QUIET_HOURS_POLICY": "off"}, OFF),
        ({"APP_ENV": "development"}, OFF),
        ({"APP_ENV": "test"}, OFF),
        ({"APP_ENV": "test", "QUIET_HOURS_POLICY": "ON"}, BUILT_IN),
    ],
)
def test_the_policy_binds_in_production_unless_told_otherwise(
    variables: dict[str, str], policy: QuietPolicy
) -> None:
    assert read(**variables) == policy


def test_a_file_replaces_the_rules_it_names(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        {
            "quietHours": {
                "US": {"start": "20:00", "end": "09:00", "days": ["sun"]},
                "DE": {"start": "22:00", "end": "08:00", "holidays": ["10-03", "easter-2"]},
                "GR": None,
                "*": None,
            },
            "stopWords": ["HALT"],
        },
    )

    policy = read(POLICY_FILE=path)

    assert policy.rules(None, "US") == (QuietRule(time(20), time(9), frozenset({Weekday.SUN})),)
    (german,) = policy.rules(None, "DE")
    assert german.holidays == (Holiday(10, 3), Holiday(after_easter=-2))
    assert policy.rules(None, "GR") == policy.rules(None, "SE") == ()
    assert policy.rules(None, "FR") == BUILT_IN.rules(None, "FR")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        {"quietHours": []},
        {"quietHours": {"XX": None}},
        {"quietHours": {"GR": []}},
        {"quietHours": {"GR": {"start": "21:00"}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "24:00"}}},
        {"quietHours": {"GR": {"start": "21:00", "end": 9}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "09:00", "days": ["sunday"]}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "09:00", "days": 3}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "09:00", "holidays": [5]}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "09:00", "holidays": ["02-30"]}}},
        {"quietHours": {"GR": {"start": "21:00", "end": "09:00", "zone": "UTC"}}},
    ],
)
def test_anything_odd_stops_the_start(content: object, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="POLICY_FILE"):
        read(POLICY_FILE=file(tmp_path, content))


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="POLICY_FILE"):
        read(POLICY_FILE=str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("variables", "cap"),
    [
        ({}, None),
        ({"FREQUENCY_CAP_MAX": "0", "FREQUENCY_CAP_DAYS": "3"}, None),
        ({"FREQUENCY_CAP_MAX": "2"}, FrequencyCap(2, timedelta(days=7))),
        ({"FREQUENCY_CAP_MAX": "1", "FREQUENCY_CAP_DAYS": "30"}, FrequencyCap(1, timedelta(30))),
    ],
)
def test_a_frequency_cap_is_off_unless_it_is_set(
    variables: dict[str, str], cap: FrequencyCap | None
) -> None:
    env = Env(variables)

    assert frequency_cap(env) == cap
    env.finish()


def words(**variables: str) -> Keywords:
    env = Env(variables)
    found = keywords(env)
    env.finish()
    return found


def test_a_file_adds_words_to_leave_by(tmp_path: Path) -> None:
    both = words(POLICY_FILE=file(tmp_path, {"stopWords": {"first": ["HALT"], "whole": ["genug"]}}))
    alone = words(POLICY_FILE=file(tmp_path, {"stopWords": ["HALT"]}))

    assert both.recognise("halt!") is both.recognise("Genug") is Keyword.STOP
    assert both.recognise("halt now") is both.recognise("stop") is Keyword.STOP
    assert (alone.recognise("halt"), alone.recognise("halt now")) == (Keyword.STOP, None)
    assert words() is words(POLICY_FILE="") is engagement.BUILT_IN


@pytest.mark.parametrize(
    "odd", [5, "HALT", [5], {"second": []}, {"first": "HALT"}, {"first": ["no more"]}, ["!"]]
)
def test_odd_words_are_refused(tmp_path: Path, odd: object) -> None:
    with pytest.raises(SettingsError, match="stopWords"):
        words(POLICY_FILE=file(tmp_path, {"stopWords": odd}))
