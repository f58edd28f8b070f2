"""What is removed once a day, and how long it is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

import attrs

from retail_core.contacts.model import HAND_OVER_REMEMBERED
from retail_core.kernel.settings import Env
from retail_core.kernel.time.clock import Clock

MESSAGE_TEXT_DAYS: Final = 400
RAW_EVENTS_DAYS: Final = 90
IMPORTS_DAYS: Final = 90
CONSENT_DAYS: Final = 1_825
DAYS_MAX: Final = 36_500

FAILED_JOBS_LIFE: Final = timedelta(days=90)
ENDED_SESSIONS_LIFE: Final = timedelta(days=30)
NOTICES_LIFE: Final = timedelta(days=30)
CONFIRMATIONS_LIFE: Final = timedelta(days=31)
STATUS_LOOK_UPS_LIFE: Final = timedelta(days=30)
IMPORT_FILES_LIFE: Final = timedelta(days=1)
AUDIT_LIFE: Final = timedelta(days=731)
"""A day more than the 730 for which the database itself keeps every entry: clocks differ."""


class Pruning(Protocol):
    """Counts and removes old rows by name. Raises `Unavailable`."""

    def count_older(self, name: str, before: datetime) -> int: ...

    def remove_older(self, name: str, before: datetime) -> int: ...


@attrs.frozen
class Lives:
    """How long each thing is kept. One line adds one."""

    idempotency_keys: timedelta
    failed_jobs: timedelta = FAILED_JOBS_LIFE
    # counted from their end: an expired token is refused whether it is still known or not
    sessions: timedelta = ENDED_SESSIONS_LIFE
    refresh_tokens: timedelta = timedelta(0)
    password_resets: timedelta = timedelta(0)
    # long after the last attempt, and after the causes that could come again
    notices: timedelta = NOTICES_LIFE
    # as far back as anybody looks before they ask again
    confirmations: timedelta = CONFIRMATIONS_LIFE
    # long after the last age at which a message is asked about
    status_look_ups: timedelta = STATUS_LOOK_UPS_LIFE
    audit_entries: timedelta = AUDIT_LIFE
    # what is personal; the books stay. By partition no sooner than nobody asks any more for the
    # gateway's ids of messages, and whom a store wrote to.
    message_partitions: timedelta = timedelta(days=MESSAGE_TEXT_DAYS)
    message_texts: timedelta = timedelta(days=MESSAGE_TEXT_DAYS)
    single_message_texts: timedelta = timedelta(days=MESSAGE_TEXT_DAYS)
    raw_reports: timedelta = timedelta(days=RAW_EVENTS_DAYS)
    parked_reports: timedelta = timedelta(days=RAW_EVENTS_DAYS)
    inbound_texts: timedelta = timedelta(days=RAW_EVENTS_DAYS)
    # hashes of forgotten numbers: as long as STOP means the stores that wrote to them
    number_traces: timedelta = HAND_OVER_REMEMBERED
    # longer than their links are valid
    message_traces: timedelta = HAND_OVER_REMEMBERED
    import_files: timedelta = IMPORT_FILES_LIFE
    imports: timedelta = timedelta(days=IMPORTS_DAYS)
    consents: timedelta = timedelta(days=CONSENT_DAYS)

    @classmethod
    def read(cls, env: Env, idempotency_keys: timedelta) -> Self:
        """The settings `RETENTION_*_DAYS`; problems are collected by `env`."""

        def days(name: str, default: int) -> timedelta:
            variable = f"RETENTION_{name}_DAYS"
            found = env.integer(variable, default=default, minimum=1, maximum=DAYS_MAX)
            return timedelta(days=found)

        texts, raw = days("MESSAGE_TEXT", MESSAGE_TEXT_DAYS), days("RAW_EVENTS", RAW_EVENTS_DAYS)
        return cls(
            idempotency_keys,
            message_partitions=max(texts, HAND_OVER_REMEMBERED),
            message_texts=texts,
            single_message_texts=texts,
            raw_reports=raw,
            parked_reports=raw,
            inbound_texts=raw,
            imports=days("IMPORTS", IMPORTS_DAYS),
            consents=days("CONSENT", CONSENT_DAYS),
        )

    def by_name(self) -> Mapping[str, timedelta]:
        return attrs.asdict(self, recurse=False)


@attrs.frozen
class CleanUp:
    """Remove what has been kept long enough; returns how many rows of each thing."""

    pruning: Pruning
    clock: Clock
    lives: Lives

    def __call__(self, *, dry_run: bool = False) -> Mapping[str, int]:
        """With `dry_run`, only count."""
        now = self.clock.now()
        prune = self.pruning.count_older if dry_run else self.pruning.remove_older
        return {name: prune(name, now - life) for name, life in self.lives.by_name().items()}
