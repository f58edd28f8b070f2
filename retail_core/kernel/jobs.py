"""A job is a nudge: it says what to look at, the rows say what to do."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from retail_core.kernel.ids import AccountId

PAYLOAD_KEYS_MAX = 16


@attrs.frozen
class Job:
    """One nudge. `kind` names the use case, `key` makes waiting repeats one.

    `payload` holds plain JSON values; `account` is None for work that belongs to no one account.
    """

    kind: str
    key: str
    payload: Mapping[str, int | str | bool | None] = attrs.field(factory=dict)
    account: AccountId | None = None
    not_before: datetime | None = None


@attrs.frozen
class DueJob:
    """A job as it lies in the outbox."""

    id: int
    job: Job
