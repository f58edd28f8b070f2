"""Counting requests for all processes together in Redis, per process while that is away."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import attrs
import redis
from loguru import logger
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters_http.limits.counting import (
    MILLISECONDS,
    SLOTS,
    Asked,
    Counts,
    LocalCounts,
    Standing,
    Verdict,
)
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ports import Clock
from retail_core.kernel.secrets import SecretText

TIMEOUT_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 2.0
"""After a failure Redis is left alone for this long: waiting for it would slow every request."""

# KEYS: one per limit. ARGV: the number of slots, then per limit its requests and its window in ms.
# The time is the server's, so that the clocks of the processes need not agree.
TAKE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local parts = tonumber(ARGV[1])
local allowed, limits = 1, {}
for i, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local slots, taken = {}, 0
  local kept = redis.call('GET', key)
  if kept then
    for _, slot in ipairs(cmsgpack.unpack(kept)) do
      if slot[2] + window > now then
        slots[#slots + 1] = slot
        taken = taken + slot[3]
      end
    end
  end
  if taken >= most then allowed = 0 end
  limits[i] = {most = most, window = window, slots = slots, taken = taken}
end
local reply = {allowed}
for i, key in ipairs(KEYS) do
  local limit = limits[i]
  local slots = limit.slots
  if allowed == 1 then
    local newest = slots[#slots]
    if newest and now - newest[1] < limit.window / parts then
      newest[2] = math.max(newest[2], now)
      newest[3] = newest[3] + 1
    else
      slots[#slots + 1] = {now, now, 1}
    end
    limit.taken = limit.taken + 1
    redis.call('SET', key, cmsgpack.pack(slots), 'PX', limit.window)
  end
  reply[2 * i] = limit.most - limit.taken
  reply[2 * i + 1] = slots[1] and slots[1][2] + limit.window - now or 0
end
return reply
"""
TAKE_ID: Final = hashlib.sha1(TAKE.encode(), usedforsecurity=False).hexdigest()


@attrs.frozen
class SharedCounts:
    """All processes count together. Raises `redis.RedisError` when Redis does not answer."""

    client: "redis.Redis"

    def take(self, asked: Sequence[Asked]) -> Verdict:
        """One call of one script, whatever the number of limits."""
        figures = [
            figure
            for each in asked
            for figure in (each.limit.requests_max, each.limit.window_seconds * MILLISECONDS)
        ]
        words: list[str | int] = [*(each.key for each in asked), SLOTS, *figures]
        try:
            found = self.client.evalsha(TAKE_ID, len(asked), *words)
        except redis.exceptions.NoScriptError:
            found = self.client.eval(TAKE, len(asked), *words)
        allowed, *rest = cast("list[int]", found)
        standings = [
            Standing(each.limit, rest[2 * at], rest[2 * at + 1]) for at, each in enumerate(asked)
        ]
        return Verdict.of(allowed=bool(allowed), standings=standings)


class FallingBack:
    """The shared counts, and those of this process alone while Redis does not answer."""

    def __init__(
        self,
        shared: Counts,
        alone: Counts,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared, self._alone = shared, alone
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._ask_at: float | None = None

    def take(self, asked: Sequence[Asked]) -> Verdict:
        """Decide; never open, and never slow for long."""
        if self._may_ask():
            try:
                verdict = self._shared.take(asked)
            except (redis.RedisError, OSError) as error:
                self._note_failure(error)
            else:
                self._note_answer()
                return verdict
        return self._alone.take(asked)

    def _may_ask(self) -> bool:
        """While Redis is away only one request in a while finds out whether it still is."""
        with self._lock:
            if self._ask_at is None:
                return True
            now = self._monotonic()
            if now < self._ask_at:
                return False
            self._ask_at = now + AWAY_SECONDS
            return True

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            was_there = self._ask_at is None
            self._ask_at = self._monotonic() + AWAY_SECONDS
        if was_there:
            logger.warning("rate limits are counted per process: {}", type(error).__name__)

    def _note_answer(self) -> None:
        if self._ask_at is not None:
            self._ask_at = None
            logger.info("rate limits are counted for all processes together again")


@attrs.frozen
class SharedStore:
    """Redis, connected at the first use and thus once per process. No address: switched off."""

    _client: "redis.Redis | None"

    @classmethod
    def at(cls, url: SecretText | None) -> "SharedStore":
        """The store at an address; connects to nothing yet."""
        if url is None:
            return cls(None)
        patience: dict[str, Any] = {
            "socket_timeout": TIMEOUT_SECONDS,
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        return cls(redis.Redis.from_url(url.reveal(), **patience))

    def check(self) -> None:
        """Raise Unavailable if the store is used and does not answer."""
        try:
            if self._client is not None:
                self._client.ping()
        except redis.RedisError:
            raise Unavailable from None

    def counts(self, clock: Clock) -> Counts:
        """Where requests are counted; the clock is for the times without the store."""
        alone = LocalCounts(clock)
        return alone if self._client is None else FallingBack(SharedCounts(self._client), alone)
