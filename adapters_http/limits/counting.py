"""What counting requests is about, and a process that counts them by itself.

A request is taken only if every limit it meets has room, and then it counts in each of them; one
that is refused counts nowhere. No window holds more than its limit, wherever it begins: what was
counted is kept in a few slots, and a slot counts in full until its newest request is a window old.
"""

import hashlib
import threading
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import attrs

from adapters_http.limits.table import Limit
from retail_core.kernel.ports import Clock
from retail_core.kernel.secrets import SecretText

SLOTS: Final = 20
"""Into how many parts a window is counted at most; the reply to a refusal is as exact as that."""

LOCAL_KEYS_MAX: Final = 20_000
LOCAL_SWEEP_SECONDS: Final = 1.0
CROWD_CHARACTERS: Final = 2
"""So many characters of a name tell to which crowd it belongs: 256 for each limit."""

MILLISECONDS: Final = 1000
NAME_BYTES: Final = 16


@attrs.frozen
class Asked:
    """A request meets a limit; `key` stands for whoever is counted and tells nobody who it is."""

    limit: Limit
    key: str


@attrs.frozen
class Standing:
    """Where one limit stands; room comes back in so many milliseconds."""

    limit: Limit
    remaining: int
    reset_milliseconds: int

    @property
    def reset_seconds(self) -> int:
        """Whole seconds, never too few."""
        return -(-self.reset_milliseconds // MILLISECONDS)


@attrs.frozen
class Verdict:
    """Whether a request may go on, and the limit it should hear of."""

    allowed: bool
    standing: Standing

    @classmethod
    def of(cls, *, allowed: bool, standings: Sequence[Standing]) -> "Verdict":
        """Tell of the tightest limit: of those without room the one that takes longest."""
        tightest = min(standings, key=lambda each: (each.remaining, -each.reset_milliseconds))
        return cls(allowed, tightest)


class Counts(Protocol):
    """Somewhere requests are counted."""

    def take(self, asked: Sequence[Asked]) -> Verdict: ...


@attrs.frozen
class KeyNames:
    """Names under which is counted, made of who is counted: nobody can read them back."""

    secret: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, secret: SecretText) -> "KeyNames":
        """Names that every process with this secret makes alike."""
        return cls(hashlib.blake2b(secret.reveal_bytes(), person=b"rate-limits").digest())

    def name(self, limit: Limit, value: str) -> str:
        """The name for one limit and one address, account, token, ..."""
        text = f"{limit.name}:{value}".encode(errors="surrogatepass")
        digest = hashlib.blake2b(text, key=self.secret, digest_size=NAME_BYTES).hexdigest()
        return f"{{limits}}:{limit.name}:{digest}"


Slot: TypeAlias = list[int]
"""When its first request came, when its newest, and how many."""


class LocalCounts:
    """One process counts by itself, in bounded memory. Safe between threads.

    When memory is full, those who are not known yet are counted in crowds: too strict for some,
    open for nobody.
    """

    def __init__(self, clock: Clock, keys_max: int = LOCAL_KEYS_MAX) -> None:
        self._clock = clock
        self._keys_max = keys_max
        self._slots: dict[str, list[Slot]] = {}
        self._ends: dict[str, int] = {}
        self._swept_at = 0
        self._lock = threading.Lock()

    def take(self, asked: Sequence[Asked]) -> Verdict:
        """As the script does it."""
        with self._lock:
            now = int(self._clock.now().timestamp() * MILLISECONDS)
            keys = [self._key(each, now) for each in asked]
            for each, key in zip(asked, keys, strict=True):
                self._forget(key, now - each.limit.window_seconds * MILLISECONDS)
            allowed = all(
                self._taken(key) < each.limit.requests_max
                for each, key in zip(asked, keys, strict=True)
            )
            if allowed:
                for each, key in zip(asked, keys, strict=True):
                    self._count(each.limit, key, now)
            standings = [
                self._standing(each.limit, key, now) for each, key in zip(asked, keys, strict=True)
            ]
            return Verdict.of(allowed=allowed, standings=standings)

    def _key(self, asked: Asked, now: int) -> str:
        if asked.key in self._slots or len(self._slots) < self._keys_max:
            return asked.key
        if now - self._swept_at >= LOCAL_SWEEP_SECONDS * MILLISECONDS:
            self._swept_at = now
            for key in [key for key, end in self._ends.items() if end <= now]:
                del self._slots[key], self._ends[key]
            return self._key(asked, now)
        return f"{asked.limit.name}:{asked.key[-CROWD_CHARACTERS:]}"

    def _forget(self, key: str, before: int) -> None:
        if key in self._slots:
            self._slots[key] = [slot for slot in self._slots[key] if slot[1] > before]

    def _taken(self, key: str) -> int:
        return sum(slot[2] for slot in self._slots.get(key, ()))

    def _count(self, limit: Limit, key: str, now: int) -> None:
        window = limit.window_seconds * MILLISECONDS
        slots = self._slots.setdefault(key, [])
        if slots and now - slots[-1][0] < window / SLOTS:
            slots[-1][1] = max(slots[-1][1], now)
            slots[-1][2] += 1
        else:
            slots.append([now, now, 1])
        self._ends[key] = now + window

    def _standing(self, limit: Limit, key: str, now: int) -> Standing:
        slots = self._slots.get(key)
        reset = slots[0][1] + limit.window_seconds * MILLISECONDS - now if slots else 0
        return Standing(limit, limit.requests_max - self._taken(key), reset)
