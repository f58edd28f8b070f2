"""The gateway pace: no more calls per window than agreed, counted for all processes together.

Every reservation is a moment at which one call may begin. A moment is free if, with it, no window
of time holds more calls than permitted, wherever the window begins. Moments need not be taken in
order: a store that has queued far ahead leaves the present to the others.
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

local function reserved(key, window)
  local flat = redis.call(
    'ZRANGEBYSCORE', key, string.format('(%.0f', now - window), '+inf', 'WITHSCORES')
  local moments = {}
  for i = 2, #flat, 2 do moments[#moments + 1] = tonumber(flat[i]) end
  return moments
end

local function next_free(moments, calls, window, at)
  local before = 0
  while before < #moments and moments[before + 1] <= at do before = before + 1 end
  for i = math.min(before + 1, #moments - calls + 1), math.max(before - calls + 1, 1), -1 do
    local first, last = moments[i], moments[i + calls - 1]
    if math.max(last, at) - math.min(first, at) < window then return first + window end
  end
  return at
end

local limits = {}
for i, key in ipairs(KEYS) do
  local calls, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  limits[i] = {calls = calls, window = window, moments = reserved(key, window)}
end
local at, tried = now, nil
while at ~= tried do
  tried = at
  for _, limit in ipairs(limits) do
    at = next_free(limit.moments, limit.calls, limit.window, at)
  end
end
for i, key in ipairs(KEYS) do
  local window, moments = limits[i].window, limits[i].moments
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  redis.call('ZADD', key, string.format('%.0f', at), ARGV[1])
  local newest = math.max(at, moments[#moments] or at)
  redis.call('PEXPIRE', key, math.ceil((newest - now + window) / 1000))
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
            at, tried = now, -1
            while at != tried:
                tried = at
                at = _next_free(self._all, self.account_limit, at)
                at = _next_free(store, self.store_limit, at)
            bisect.insort(self._all, at)
            bisect.insort(store, at)
            return (at - now) / MICROSECONDS

    def _forget(self, now: int) -> None:
        del self._all[: bisect.bisect_right(self._all, now - self.account_limit.window_us)]
        for account, moments in list(self._by_store.items()):
            del moments[: bisect.bisect_right(moments, now - self.store_limit.window_us)]
            if not moments:
                del self._by_store[account]


def _next_free(moments: Sequence[int], limit: Limit, at: int) -> int:
    """`at`, if no window would hold too many calls with it; else the next moment worth a try.

    Only a group of as many neighbours as are permitted can be in the way; then all moments up to
    a window after the first of the group are ruled out.
    """
    before = bisect.bisect_right(moments, at)
    latest = min(before, len(moments) - limit.calls_max)
    for index in range(latest, max(before - limit.calls_max, 0) - 1, -1):
        first, last = moments[index], moments[index + limit.calls_max - 1]
        if max(last, at) - min(first, at) < limit.window_us:
            return first + limit.window_us
    return at


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
