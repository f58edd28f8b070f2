"""What a worker, the scheduler and the command line are told from outside."""

from datetime import timedelta
from typing import Final, Self

import attrs

from retail_core.audiences.model import FrequencyCap
from retail_core.audiences.settings import frequency_cap
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.settings import number_hash_of
from retail_core.engagement.model import BUILT_IN, Keywords, StopConfirmationPolicy
from retail_core.engagement.settings import keywords, stop_confirmation_policy
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import Env
from retail_core.messages.model import LEASE_SECONDS, SETTLE_HOURS, CreditPolicy
from retail_core.messages.quiet_hours import OFF, QuietPolicy
from retail_core.messages.settings import quiet_policy
from retail_core.messages.use_cases import UnknownPolicy
from workers.jobs.cleaning import Lives

CONCURRENCY_MAX: Final = 256
BATCH_LEASE_SECONDS_MAX: Final = 3_600
REFRESH_EVERY_MS: Final = 600_000
REFRESH_EVERY_MS_MIN: Final = 1_000
UNKNOWN_SETTLE_HOURS_MAX: Final = 24 * 365


@attrs.frozen
class WorkerSettings:
    """The queue, how many processes serve it, and how long things are kept.

    `redis_url` is None where there is no queue at all (`QUEUE_DISABLED=1`, `REDIS_URL=disabled`).
    `token_secret` makes the codes of links in messages. `batch_lease_seconds`: so long a batch is
    left to a worker that may have died; a call of the gateway must have ended within it.
    `refresh_every` is None where the gateway is never asked what became of messages.
    """

    redis_url: SecretText | None
    token_secret: SecretText
    number_hash: NumberHash
    concurrency: int = 5
    import_concurrency: int = 1
    batch_lease_seconds: int = LEASE_SECONDS
    lives: Lives = attrs.field(factory=lambda: Lives(timedelta(hours=24)))
    unknown: UnknownPolicy = attrs.field(factory=UnknownPolicy)
    refresh_every: timedelta | None = timedelta(milliseconds=REFRESH_EVERY_MS)
    quiet_policy: QuietPolicy = OFF
    cap: FrequencyCap | None = None
    keywords: Keywords = BUILT_IN
    stop_confirmation: StopConfirmationPolicy = attrs.field(factory=StopConfirmationPolicy)

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables of the background processes; problems are collected by `env`."""
        redis_url = env.redis_url()
        return cls(
            redis_url=None if env.flag("QUEUE_DISABLED", default=False) else redis_url,
            token_secret=env.secret("UNSUBSCRIBE_TOKEN_SECRET"),
            number_hash=number_hash_of(env),
            concurrency=env.integer(
                "WORKER_CONCURRENCY", default=5, minimum=1, maximum=CONCURRENCY_MAX
            ),
            import_concurrency=env.integer(
                "CONTACT_IMPORT_CONCURRENCY", default=1, minimum=1, maximum=CONCURRENCY_MAX
            ),
            batch_lease_seconds=env.integer(
                "BATCH_LEASE_SECONDS",
                default=LEASE_SECONDS,
                minimum=1,
                maximum=BATCH_LEASE_SECONDS_MAX,
            ),
            lives=lives(env),
            unknown=_unknown_policy(env),
            refresh_every=_refresh_every(env),
            quiet_policy=quiet_policy(env),
            cap=frequency_cap(env),
            keywords=keywords(env),
            stop_confirmation=stop_confirmation_policy(env),
        )


def _unknown_policy(env: Env) -> UnknownPolicy:
    hours = env.integer(
        "UNKNOWN_SETTLE_HOURS", default=SETTLE_HOURS, minimum=1, maximum=UNKNOWN_SETTLE_HOURS_MAX
    )
    credits = env.choice("UNKNOWN_CREDIT_POLICY", CreditPolicy, default=CreditPolicy.RELEASE)
    is_shared = env.flag("SMS_ACCOUNT_IS_SHARED", default=True)
    return UnknownPolicy(timedelta(hours=hours), credits, is_shared)


def _refresh_every(env: Env) -> timedelta | None:
    is_enabled = env.flag("STATUS_REFRESH_ENABLED", default=True)
    interval_ms = env.integer(
        "STATUS_REFRESH_INTERVAL", default=REFRESH_EVERY_MS, minimum=REFRESH_EVERY_MS_MIN
    )
    return timedelta(milliseconds=interval_ms) if is_enabled else None


def lives(env: Env) -> Lives:
    """How long things are kept: keys of requests by hours, personal data by days."""
    hours = env.integer("IDEMPOTENCY_TTL_HOURS", default=24, minimum=1, maximum=8760)
    return Lives.read(env, timedelta(hours=hours))
