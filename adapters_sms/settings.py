"""What this package is told from outside (docs/api.md, section 7)."""

import re
from typing import Final, Self

import attrs

from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import Env

API_BASE_DEFAULT: Final = "https://messaging.mittoapi.com"
TIMEOUT_SECONDS_DEFAULT: Final = 30
TIMEOUT_SECONDS_MAX: Final = 40
_SENDER: Final = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{3,11}|\+[1-9][0-9]{6,14}")
_HEADER_VALUE: Final = re.compile(r"[!-~]{1,512}")


@attrs.frozen
class PaceSettings:
    """How many gateway calls may begin within a window: in total, and by one store."""

    traffic_account_calls_max: int = 100
    traffic_account_window_ms: int = 1000
    store_calls_max: int = 50
    store_window_ms: int = 1000


@attrs.frozen
class SmsSettings:
    """The gateway, our account with it, and how fast we may call it.

    `timeout_seconds` is the limit of a whole call, from waiting for a connection to the last byte
    of the answer.

    `send_reference` puts our message number into each message as `reference`. It settles messages
    whose outcome got lost, but whether Mitto takes the field has to be found out per account, and
    a field that is refused would refuse every call: so it is off unless switched on.
    """

    api_key: SecretText
    traffic_account_id: str
    api_base: str = API_BASE_DEFAULT
    fallback_sender: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS_DEFAULT
    send_reference: bool = False
    pace: PaceSettings = PaceSettings()
    redis_url: SecretText | None = None

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the gateway's variables; problems are collected by `env`."""
        key = env.secret("MITTO_API_KEY")
        if env.given("MITTO_API_KEY") and not _HEADER_VALUE.fullmatch(key.reveal()):
            env.problem("MITTO_API_KEY", "is not a value for an HTTP header")
        sender = env.text("MITTO_SENDER", default="") or None
        if sender is not None and not _SENDER.fullmatch(sender):
            env.problem("MITTO_SENDER", "is neither 3 to 11 letters and digits nor E.164")
        return cls(
            api_key=key,
            traffic_account_id=env.text(
                "SMS_TRAFFIC_ACCOUNT_ID", also=("MITTO_TRAFFIC_ACCOUNT_ID",)
            ),
            api_base=env.url("MITTO_API_BASE", default=API_BASE_DEFAULT),
            fallback_sender=sender,
            timeout_seconds=env.integer(
                "MITTO_TIMEOUT_SECONDS",
                default=TIMEOUT_SECONDS_DEFAULT,
                minimum=1,
                maximum=TIMEOUT_SECONDS_MAX,
            ),
            send_reference=env.flag("SMS_SEND_REFERENCE", default=False),
            pace=_read_pace(env),
            redis_url=env.redis_url(),
        )


def _read_pace(env: Env) -> PaceSettings:
    return PaceSettings(
        traffic_account_calls_max=env.integer(
            "RATE_LIMIT_TRAFFIC_ACCOUNT_MAX", default=100, minimum=1
        ),
        traffic_account_window_ms=env.integer(
            "RATE_LIMIT_TRAFFIC_ACCOUNT_WINDOW_MS", default=1000, minimum=1
        ),
        store_calls_max=env.integer("RATE_LIMIT_TENANT_MAX", default=50, minimum=1),
        store_window_ms=env.integer("RATE_LIMIT_TENANT_WINDOW_MS", default=1000, minimum=1),
    )
