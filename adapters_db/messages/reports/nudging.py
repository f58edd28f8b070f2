"""Nudging for a stream of causes without a row in the outbox for each."""

import threading
import time
from typing import Final

import attrs

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.jobs import Job
from retail_core.kernel.ports import Transactions, Work

NUDGE_EVERY_SECONDS: Final = 0.2


@attrs.define(eq=False)
class Nudges:
    """One nudge at once, then none for a while, and one more at its end.

    A nudge that waits is one row, and whoever writes it waits for everybody who is just writing it:
    a thousand causes a second would stand in line for it. So a burst is worked off while it goes
    on, its last cause is not forgotten, and no cause waits longer than `every_seconds`.
    """

    transactions: Transactions[Work]
    job: Job
    every_seconds: float = NUDGE_EVERY_SECONDS
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _last_at: float = attrs.field(init=False, default=float("-inf"))
    _later: threading.Timer | None = attrs.field(init=False, default=None)

    def is_due(self) -> bool:
        """True: the caller adds the job in the transaction of its cause, and nobody else does."""
        with self._lock:
            if self._later is not None or self._wait_seconds() > 0:
                return False
            self._last_at = time.monotonic()
            return True

    def nudge_later(self) -> None:
        """Add the job a little later, for a cause that is committed already."""
        with self._lock:
            if self._later is None:
                self._later = threading.Timer(max(self._wait_seconds(), 0.0), self._nudge)
                self._later.daemon = True
                self._later.start()

    def _wait_seconds(self) -> float:
        return self._last_at + self.every_seconds - time.monotonic()

    def _nudge(self) -> None:
        with self._lock:
            self._later = None
            self._last_at = time.monotonic()
        try:
            with self.transactions.across_accounts() as uow:
                uow.jobs.add(self.job)
        except Unavailable:
            return  # a nudge may be lost: a sweep finds its work
