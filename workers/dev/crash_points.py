"""Named places in which a process of a test dies: `CRASH_AT=after_intent`, only in `APP_ENV=test`.

Decorators around two ports, put there at composition; the core knows nothing of them. The value is
`POINT[:COUNT[:stop]]`: at the COUNT-th time (default 1) the process kills itself at POINT, or with
`stop` halts there until somebody sends it SIGCONT, as a machine does that swaps for minutes.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Any, Final, Self

import attrs

from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.kernel.settings import AppEnv, Env
from retail_core.kernel.time.clock import Deadline
from retail_core.messages.model import GatewayMessage, OutgoingMessage, SubmissionOutcome
from retail_core.messages.ports import SmsGateway

VARIABLE: Final = "CRASH_AT"
MID_SUBMIT_SECONDS: Final = 0.02
STOPS: Final = "stop"


class CrashPoint(StrEnum):
    """Where a process may die; in the order of a batch's life, then of an inbound text's."""

    BEFORE_CLAIM_COMMIT = "before_claim_commit"
    AFTER_CLAIM = "after_claim"
    BEFORE_INTENT_COMMIT = "before_intent_commit"
    AFTER_INTENT = "after_intent"
    BEFORE_SUBMIT = "before_submit"
    MID_SUBMIT = "mid_submit"
    """The request is on its way, or the answer is."""
    AFTER_SUBMIT = "after_submit"
    BEFORE_SETTLE_COMMIT = "before_settle_commit"
    AFTER_SETTLE_COMMIT = "after_settle_commit"
    BEFORE_PUT_BACK_COMMIT = "before_put_back_commit"
    AFTER_PUT_BACK_COMMIT = "after_put_back_commit"
    BEFORE_SPLIT_COMMIT = "before_split_commit"
    AFTER_SPLIT_COMMIT = "after_split_commit"
    BEFORE_SWEEP_COMMIT = "before_sweep_commit"
    AFTER_SWEEP_COMMIT = "after_sweep_commit"
    BEFORE_REPORTS_COMMIT = "before_reports_commit"
    AFTER_REPORTS_COMMIT = "after_reports_commit"
    BEFORE_TEXT_COMMIT = "before_text_commit"
    AFTER_TEXT_COMMIT = "after_text_commit"


REPORTS_VERB: Final = "apply_reports_across_accounts"
"""Done also where it returns none: those are reports that met no message."""
_BY_VERB: Final = {
    "claim_across_accounts": (CrashPoint.BEFORE_CLAIM_COMMIT, CrashPoint.AFTER_CLAIM),
    "commit_intent": (CrashPoint.BEFORE_INTENT_COMMIT, CrashPoint.AFTER_INTENT),
    "settle": (CrashPoint.BEFORE_SETTLE_COMMIT, CrashPoint.AFTER_SETTLE_COMMIT),
    "put_back": (CrashPoint.BEFORE_PUT_BACK_COMMIT, CrashPoint.AFTER_PUT_BACK_COMMIT),
    "split": (CrashPoint.BEFORE_SPLIT_COMMIT, CrashPoint.AFTER_SPLIT_COMMIT),
    "free_stale_claims_across_accounts": (
        CrashPoint.BEFORE_SWEEP_COMMIT,
        CrashPoint.AFTER_SWEEP_COMMIT,
    ),
    "mark_unknown_across_accounts": (
        CrashPoint.BEFORE_SWEEP_COMMIT,
        CrashPoint.AFTER_SWEEP_COMMIT,
    ),
    REPORTS_VERB: (
        CrashPoint.BEFORE_REPORTS_COMMIT,
        CrashPoint.AFTER_REPORTS_COMMIT,
    ),
    # what texts do is committed with them
    "take_some_across_accounts": (CrashPoint.BEFORE_TEXT_COMMIT, CrashPoint.AFTER_TEXT_COMMIT),
}
_WATCHED_STORES: Final = frozenset({"batches", "messages", "singles", "inbound_texts"})


@attrs.frozen
class CrashAt:
    """The point, at which time it is reached, and whether the process halts instead of dying."""

    point: CrashPoint
    count: int = 1
    stops: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `POINT[:COUNT[:stop]]`. Raises ValueError."""
        name, _, rest = text.partition(":")
        count, _, how = rest.partition(":")
        if how not in {"", STOPS}:
            raise ValueError(f"may end in :{STOPS}, not in :{how}")
        return cls(CrashPoint(name), int(count or 1), stops=how == STOPS)

    @classmethod
    def read(cls, env: Env) -> Self | None:
        """What `CRASH_AT` says in a test; anywhere else it says nothing."""
        if env.app_env is not AppEnv.TEST:
            return None
        found: Self | None = env.parsed(VARIABLE, cls.parse, default=None)
        return found


@attrs.define
class Trap:
    """Counts how often the point is reached, and springs."""

    at: CrashAt
    _reached: int = attrs.field(init=False, default=0)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    def is_due(self, point: CrashPoint) -> bool:
        """Count an arrival; True at the one that counts."""
        if point is not self.at.point:
            return False
        with self._lock:  # a worker has two batches in flight, each in a thread
            self._reached += 1
            return self._reached == self.at.count

    def reach(self, point: CrashPoint) -> None:
        """Arrive at a point; with bad luck nobody returns from it."""
        if self.is_due(point):
            self.spring()

    def spring(self) -> None:
        """Die without a word, or halt."""
        os.kill(os.getpid(), signal.SIGSTOP if self.at.stops else signal.SIGKILL)


@attrs.frozen
class CrashingGateway:
    """A gateway around which its caller may die."""

    inner: SmsGateway
    trap: Trap

    def submit(self, messages: Sequence[OutgoingMessage], deadline: Deadline) -> SubmissionOutcome:
        """Hand over, unless death comes first."""
        self.trap.reach(CrashPoint.BEFORE_SUBMIT)
        timer = None
        if self.trap.is_due(CrashPoint.MID_SUBMIT):
            timer = threading.Timer(MID_SUBMIT_SECONDS, self.trap.spring)
            timer.start()
        outcome = self.inner.submit(messages, deadline)
        if timer is not None:
            timer.join()
        self.trap.reach(CrashPoint.AFTER_SUBMIT)
        return outcome

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        """As ever."""
        return self.inner.look_up(provider_id)


@attrs.frozen
class CrashingTransactions:
    """Transactions before or after whose commit their caller may die."""

    inner: Any
    trap: Trap

    def begin(self, account: AccountId, once: Once | None = None) -> AbstractContextManager[object]:
        """Work for one account."""
        return self._watched(self.inner.begin(account, once))

    def across_accounts(self) -> AbstractContextManager[object]:
        """Work that sweeps over accounts."""
        return self._watched(self.inner.across_accounts())

    @contextmanager
    def _watched(self, opening: AbstractContextManager[object]) -> Iterator[object]:
        done: list[str] = []
        with opening as uow:
            yield _WatchedWork(uow, done)
            for verb in done:
                self.trap.reach(_BY_VERB[verb][0])
        for verb in done:
            self.trap.reach(_BY_VERB[verb][1])


@attrs.frozen
class _WatchedWork:
    """A unit of work that remembers which verbs of which we know were done in it."""

    uow: object
    done: list[str]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the unit of work has
        found = getattr(self.uow, name)
        return _WatchedStore(found, self.done) if name in _WATCHED_STORES else found


@attrs.frozen
class _WatchedStore:
    store: object
    done: list[str]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        found = getattr(self.store, name)
        if name not in _BY_VERB:
            return found

        def noted(*arguments: object, **named: object) -> object:
            result = found(*arguments, **named)
            if name == REPORTS_VERB or result not in (None, False, []):
                self.done.append(name)
            return result

        return noted
