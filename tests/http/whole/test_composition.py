"""The API's root: everything is resolved at the start, and bad settings stop it before that."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import falcon
import pytest

from adapters_http.middleware.limiting import limits_of
from adapters_http.routes import ROUTES
from adapters_http.web.routing import GUARDED
from retail_core.kernel.settings import Env, SettingsError
from tests.http.api import VARIABLES
from tests.http.repeats import IGNORE_THE_KEY, RECIPES

TREE = Path(__file__).parents[3]
REQUIRED = (
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "MITTO_API_KEY",
    "SMS_TRAFFIC_ACCOUNT_ID",
    "WEBHOOK_SECRET",
    "UNSUBSCRIBE_TOKEN_SECRET",
    "FRONTEND_URL",
    "PUBLIC_BASE_URL",
)


def test_the_application_is_built_at_import(wsgi: Any) -> None:
    assert isinstance(wsgi.application, falcon.App)


@pytest.mark.parametrize("app_env", ["production", "test"])
def test_every_missing_variable_is_named_at_once(wsgi: Any, app_env: str) -> None:
    with pytest.raises(SettingsError) as refused:
        wsgi.build(Env({"APP_ENV": app_env}))

    named = {problem.partition(":")[0] for problem in refused.value.problems}
    assert named >= set(REQUIRED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", "x" * 31),
        ("JWT_ACCESS_TTL", "soon"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("CORS_ALLOWLIST", "https://shop.example.com, *"),
        ("DEFAULT_COUNTRY", "XX"),
        ("DEFAULT_LOCALE", "de"),
        ("FRONTEND_URL", "app.example.com"),
        ("BCRYPT_COST", "3"),
        ("RATE_LIMITS_FACTOR", "0"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_malformed_variable_is_named(wsgi: Any, name: str, value: str) -> None:
    known = VARIABLES | {"DATABASE_URL": "postgresql://127.0.0.1/none"}

    with pytest.raises(SettingsError) as refused:
        wsgi.build(Env(known | {name: value}))

    assert [problem.partition(":")[0] for problem in refused.value.problems] == [name]


def test_the_process_ends_before_it_listens() -> None:
    environment = {"PATH": os.environ["PATH"], "APP_ENV": "production"}

    ended = subprocess.run(
        [sys.executable, "-c", "import adapters_http.wsgi"],
        cwd=TREE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert all(name in ended.stderr for name in REQUIRED)


def test_every_name_of_a_limit_is_in_the_table_of_limits() -> None:
    for route in ROUTES:
        limits_of(route)


def test_every_post_of_a_signed_in_caller_honours_a_key_or_says_why_not() -> None:
    posts = [route for route in ROUTES if route.method == "POST" and route.access in GUARDED]

    assert {route.path for route in posts if route.once} == RECIPES.keys()
    assert {route.path for route in posts if not route.once} == IGNORE_THE_KEY.keys()


def test_nothing_but_such_a_post_honours_a_key() -> None:
    for route in ROUTES:
        if route.once:
            assert (route.method, route.access in GUARDED) == ("POST", True), route.path
