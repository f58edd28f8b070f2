"""The settings that every process has, whatever it does."""

from enum import StrEnum
from typing import Final, Self

import attrs

from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings.env import AppEnv, Env

# Legacy variables without a meaning here: a deployment may still carry them.
DROPPED: Final = (
    "BITLY_API_TOKEN",
    "TINYURL_API_KEY",
    "ALLOW_BILLING_SEED",
    "QUEUE_RATE_MAX",
    "QUEUE_RATE_DURATION_MS",
)

LINK_SECRET: Final = "UNSUBSCRIBE_TOKEN_SECRET"  # noqa: S105 - the name of a variable
LINK_SECRET_BYTES_ADVISED: Final = 32


class LogLevel(StrEnum):
    """The lowest importance that is written."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @classmethod
    def _missing_(cls, value: object) -> "LogLevel | None":
        # the word the legacy logger used
        return cls.WARNING if value == "warn" else None


class LogFormat(StrEnum):
    """`json` for machines, `text` for people."""

    JSON = "json"
    TEXT = "text"


@attrs.frozen
class AppSettings:
    """Where the process runs and how it logs."""

    app_env: AppEnv
    log_level: LogLevel
    log_format: LogFormat

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; warn of those that no longer mean anything, and of a weak secret.

        That one must be taken all the same: links in customers' phones were signed with it.
        """
        for name in DROPPED:
            if env.given(name):
                env.warn(f"{name} is no longer used and was ignored")
        if env.given(LINK_SECRET) and _is_weak(env.secret(LINK_SECRET)):
            env.warn(
                f"{LINK_SECRET} is shorter than {LINK_SECRET_BYTES_ADVISED} bytes: whoever has a "
                "link or a public key made from it can try to guess it. Keep it while old links "
                "must work, and set CONSENT_PROOF_KEY"
            )
        return cls(
            app_env=env.app_env,
            log_level=env.choice("LOG_LEVEL", LogLevel, default=LogLevel.INFO),
            log_format=env.choice("LOG_FORMAT", LogFormat, default=LogFormat.JSON),
        )


def _is_weak(secret: SecretText) -> bool:
    return len(secret.reveal_bytes()) < LINK_SECRET_BYTES_ADVISED
