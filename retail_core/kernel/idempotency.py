"""Doing a thing once, however often it is asked for (docs/api.md, 1.9)."""

import attrs

from retail_core.kernel.ids import AccountId

KEY_CHARACTERS_MAX = 255
ERASURE_SECONDS_MAX = 60
"""No transaction that erases somebody is open for longer: the database ends it before."""


@attrs.frozen
class Once:
    """An Idempotency-Key of an account, and a hash of everything the request said."""

    account: AccountId
    key: str
    fingerprint: bytes


@attrs.frozen
class StoredReply:
    """The reply that was sent for a key; `body` is the exact bytes."""

    status: int
    body: bytes = attrs.field(repr=False)


class AlreadyDone(Exception):
    """The effect of this key exists: send `reply` again, or build it anew from the effect's id."""

    def __init__(self, effect: int, reply: StoredReply | None) -> None:
        super().__init__("already done")
        self.effect = effect
        self.reply = reply
