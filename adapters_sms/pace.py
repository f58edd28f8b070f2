"""The gateway pace: no more calls per window than agreed, counted for all processes together.

Every reservation is a moment at which one call may begin. A moment is free if fewer than the
permitted number of reservations lie within a window before and after it; so no window, wherever
it begins, holds too many, and a store that has queued far ahead leaves the present to the others.
"""

import bisect
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Final

import attrs
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters_sms.settings import PaceSettings, SmsSettings
from retail_core.kernel.ids import AccountId

REDIS_TIMEOUT_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 1.0
"""After a failure Redis is left alone for this long: waiting for it would slow every call."""

LOCAL_SHARE: Final = 10
"""Without the shared count a process takes a tenth of the pace for itself."""

MICROSECONDS: Final = 1_000_000

# KEYS: one sorted set of reserved moments per limit (the traffic account's, the store's).
# ARGV: a unique name for this reservation, then calls and window (in microseconds) per limit.
# The time is the server's, so that the clocks of the workers need not agree.
RESERVE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local at = now
local moved = true
while moved do
  moved = false
  for i, key in ipairs(KEYS) do
    local calls, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    local low = string.format('(%.0f', at - window)
    local high = string.format('(%.0f', at + window)
    if redis.call('ZCOUNT', key, low, high) >= calls then
      local first = redis.call('ZRANGEBYSCORE', key, low, high, 'WITHSCORES', 'LIMIT', 0, 1)
      at = first[2] + window
      moved = true
    end
  end
end
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[2 * i + 1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  redis.call('ZADD', key, string.format('%.0f', at), ARGV[1])
  local newest = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
  redis.call('PEXPIRE', key, math.ceil((newest - now + window) / 1000) + 1000)
end
return string.format('%.0f', at - now)
"""


@attrs.frozen
class Limit:
    """At most so many calls begin within any window of this length."""

    calls_max: int
    window_us: int

    @classmethod
    def of(cls, calls_max: int, window_ms: int) -> "Limit":
        """A limit as the settings state it."""
        return cls(calls_max, window_ms * 1000)

    def share(self) -> "Limit":
        """What a process may take that counts on its own: a tenth, by a longer wait if need be."""
        if self.calls_max >= LOCAL_SHARE:
            return Limit(self.calls_max // LOCAL_SHARE, self.window_us)
        return Limit(1, self.window_us * LOCAL_SHARE // self.calls_max)


@attrs.define
class LocalPace:
    """The pace of one process by itself, when nothing is shared. Safe between threads."""

    account_limit: Limit
    store_limit: Limit
    now_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000
    _all: list[int] = attrs.field(factory=list, init=False)
    _by_store: dict[AccountId, list[int]] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def reserve(self, account: AccountId) -> float:
        """Take one call; returns the seconds to wait before making it (0.0 = now)."""
        with self._lock:
            now = self.now_us()
            self._forget(now)
            store = self._by_store.setdefault(account, [])
            at = now
            while True:
                later = self._later(at, store)
                if later == at:
                    break
                at = later
            bisect.insort(self._all, at)
            bisect.insort(store, at)
            return (at - now) / MICROSECONDS

    def _later(self, at: int, store: Sequence[int]) -> int:
        """The earliest moment not before `at` that neither limit rules out at first sight."""
        at = _next_free(self._all, self.account_limit, at)
        return _next_free(store, self.store_limit, at)

    def _forget(self, now: int) -> None:
        del self._all[: bisect.bisect_right(self._all, now - self.account_limit.window_us)]
        for account, moments in list(self._by_store.items()):
            del moments[: bisect.bisect_right(moments, now - self.store_limit.window_us)]
            if not moments:
                del self._by_store[account]


def _next_free(moments: Sequence[int], limit: Limit, at: int) -> int:
    first = bisect.bisect_right(moments, at - limit.window_us)
    end = bisect.bisect_left(moments, at + limit.window_us)
    return at if end - first < limit.calls_max else moments[first] + limit.window_us


class RedisPace:
    """The pace shared through Redis by one Lua script; a local floor while Redis is away.

    Forgetting the counts (a flushed or restarted Redis) costs at most one window's calls too many.
    """

    def __init__(
        self,
        client: redis.Redis,
        traffic_account_id: str,
        settings: PaceSettings,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = client.register_script(RESERVE)
        self._prefix = f"pace:{{sms:{traffic_account_id}}}"
        self._limits = _limits(settings)
        self._alone = alone(settings)
        self._monotonic = monotonic
        self._away_until = 0.0
        self._process = uuid.uuid4().hex
        self._numbers = itertools.count()

    def reserve(self, account: AccountId) -> float:
        """Take one call; returns the seconds to wait before making it (0.0 = now)."""
        if self._monotonic() >= self._away_until:
            try:
                return self._reserve_shared(account)
            except (redis.RedisError, OSError):
                self._away_until = self._monotonic() + AWAY_SECONDS
        return self._alone.reserve(account)

    def _reserve_shared(self, account: AccountId) -> float:
        name = f"{self._process}:{next(self._numbers)}"
        figures = [figure for limit in self._limits for figure in attrs.astuple(limit)]
        wait_us = self._script(
            keys=[f"{self._prefix}:all", f"{self._prefix}:store:{account}"],
            args=[name, *figures],
        )
        return int(str(wait_us, "ascii") if isinstance(wait_us, bytes) else str(wait_us)) / (
            MICROSECONDS
        )


def _limits(settings: PaceSettings) -> tuple[Limit, Limit]:
    return (
        Limit.of(settings.traffic_account_calls_max, settings.traffic_account_window_ms),
        Limit.of(settings.store_calls_max, settings.store_window_ms),
    )


def alone(settings: PaceSettings) -> LocalPace:
    """The pace of a process that shares nothing: a tenth of each limit."""
    account, store = _limits(settings)
    return LocalPace(account.share(), store.share())


def pace_of(settings: SmsSettings) -> RedisPace | LocalPace:
    """The shared pace, or where Redis is switched off the local one. Connects at first use."""
    if settings.redis_url is None:
        return alone(settings.pace)
    client = redis.Redis.from_url(
        settings.redis_url.reveal(),
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return RedisPace(client, settings.traffic_account_id, settings.pace)
