"""What the HTTP edge must be told."""

from datetime import timedelta
from pathlib import Path
from typing import Final, Self

import attrs

from adapters_http.middleware.origins import allowed_origins, origin_of
from retail_core.accounts.model import SessionRules
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import Env
from retail_core.kernel.settings.values import Network

JWT_SECRET_BYTES_MIN: Final = 32
RATE_LIMITS_FACTOR_MAX: Final = 1_000_000
REQUEST_SECONDS: Final = 25
"""Less than the 30 seconds that orchestrators give a process to end, by custom."""

REQUEST_SECONDS_MAX: Final = 3600
NONE: Final = "none"


@attrs.frozen
class EdgeSettings:
    """Secrets, lifetimes and neighbours of the API.

    `jwt_secret_previous` still proves tokens while secrets are exchanged. `webhook_secret` is what
    the SMS gateway proves itself with, `token_secret` signs the links in messages. `redis_url` is
    None where the queue is switched off. `rate_limits_factor` widens every rate limit, for
    measurements and tests. A request that takes longer than `request_seconds` is given up. Whoever
    touches `drain_file` takes this server out of service.
    """

    jwt_secret: SecretText
    jwt_secret_previous: SecretText | None
    session_rules: SessionRules
    webhook_secret: SecretText
    token_secret: SecretText
    trusted_proxies: tuple[Network, ...]
    allowed_origins: frozenset[str]
    redis_url: SecretText | None
    rate_limits_factor: int
    request_seconds: int
    drain_file: Path | None

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; problems are collected by `env`."""
        port = env.integer("PORT", default=3001, minimum=1, maximum=65_535)
        previous = "JWT_SECRET_PREVIOUS"
        urls = (
            env.url("FRONTEND_URL", development="", words=(NONE,)),
            env.url("APP_URL", default="", words=(NONE,)),
            env.url("PUBLIC_BASE_URL", development=f"http://127.0.0.1:{port}"),
            *_origins(env),
        )
        return cls(
            jwt_secret=env.secret("JWT_SECRET", bytes_min=JWT_SECRET_BYTES_MIN),
            jwt_secret_previous=env.secret(previous) if env.given(previous) else None,
            session_rules=SessionRules(
                access=env.duration("JWT_ACCESS_TTL", default=timedelta(minutes=15)),
                refresh=env.duration("JWT_REFRESH_TTL", default=timedelta(days=30)),
                refresh_grace=env.duration(
                    "REFRESH_GRACE_SECONDS", default=timedelta(seconds=10), minimum=timedelta(0)
                ),
                session=env.duration("SESSION_MAX_TTL", default=timedelta(days=180)),
            ),
            webhook_secret=env.secret("WEBHOOK_SECRET"),
            token_secret=env.secret("UNSUBSCRIBE_TOKEN_SECRET"),
            trusted_proxies=env.networks("TRUSTED_PROXIES"),
            allowed_origins=allowed_origins(urls),
            redis_url=env.redis_url(),
            rate_limits_factor=env.integer(
                "RATE_LIMITS_FACTOR", default=1, minimum=1, maximum=RATE_LIMITS_FACTOR_MAX
            ),
            request_seconds=request_seconds(env),
            drain_file=Path(env.text("DRAIN_FILE")) if env.given("DRAIN_FILE") else None,
        )


def web_threads(env: Env) -> int:
    """How many requests a process serves at a time; so many connections it keeps."""
    return env.integer("WEB_THREADS", default=16, minimum=1, maximum=256)


def request_seconds(env: Env) -> int:
    """How long a request may take; the server's own patience follows from it."""
    return env.integer(
        "REQUEST_TIMEOUT_SECONDS", default=REQUEST_SECONDS, minimum=1, maximum=REQUEST_SECONDS_MAX
    )


def _origins(env: Env) -> tuple[str, ...]:
    found = env.csv("CORS_ALLOWLIST")
    if any(origin_of(text) is None for text in found):
        env.problem("CORS_ALLOWLIST", "is not a list of origins such as https://shop.example.com")
    return found
