"""Where a process of a test dies; and that no other process does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from retail_core.kernel.ids import AccountId
from retail_core.kernel.settings import Env, SettingsError
from retail_core.messages.model import Accepted
from retail_core.testing.messages.gateway import FakeGateway
from tests.contracts.messages.sms_gateway import IN_TIME
from workers.dev.crash_points import (
    CrashAt,
    CrashingGateway,
    CrashingTransactions,
    CrashPoint,
    Trap,
)

ANYBODY = AccountId(2)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that this process would have sent itself."""
    sent: list[int] = []
    monkeypatch.setattr("os.kill", lambda _pid, number: sent.append(number))
    return sent


@attrs.frozen
class Log:
    """Transactions that write down when they commit, with a store that has two verbs."""

    lines: list[str] = attrs.field(factory=list)

    @contextmanager
    def begin(self, account: AccountId, once: object = None) -> Iterator[Any]:
        yield self
        self.lines.append("commit")

    @property
    def batches(self) -> "Log":
        return self

    def settle(self) -> bool:
        return True

    def put_back(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("after_intent", CrashAt(CrashPoint.AFTER_INTENT)),
        ("after_submit:3", CrashAt(CrashPoint.AFTER_SUBMIT, 3)),
        ("before_settle_commit:2:stop", CrashAt(CrashPoint.BEFORE_SETTLE_COMMIT, 2, stops=True)),
    ],
)
def test_a_test_says_where(text: str, meant: CrashAt) -> None:
    assert CrashAt.read(Env({"APP_ENV": "test", "CRASH_AT": text})) == meant


@pytest.mark.parametrize("text", ["anywhere", "after_intent:often", "after_intent:1:sleep"])
def test_what_is_no_point_is_refused(text: str) -> None:
    env = Env({"APP_ENV": "test", "CRASH_AT": text})
    CrashAt.read(env)
    with pytest.raises(SettingsError, match="CRASH_AT"):
        env.finish()


@pytest.mark.parametrize("where", ["production", "development"])
def test_nowhere_else_it_means_anything(where: str) -> None:
    env = Env({"APP_ENV": where, "CRASH_AT": "after_intent"})
    assert CrashAt.read(env) is None
    assert env.finish() == ()


def test_without_it_nobody_dies() -> None:
    assert CrashAt.read(Env({"APP_ENV": "test"})) is None


def test_the_arrival_that_counts_is_the_last(killed: list[int]) -> None:
    trap = Trap(CrashAt(CrashPoint.AFTER_SUBMIT, 2))
    gateway = CrashingGateway(FakeGateway(), trap)

    assert gateway.submit([], IN_TIME) == Accepted(())
    assert killed == []
    gateway.submit([], IN_TIME)
    gateway.submit([], IN_TIME)

    assert killed == [signal.SIGKILL]


def test_in_the_middle_of_a_call_is_while_it_lasts(killed: list[int]) -> None:
    gateway = CrashingGateway(FakeGateway(), Trap(CrashAt(CrashPoint.MID_SUBMIT)))

    gateway.submit([], IN_TIME)

    assert killed == [signal.SIGKILL]


def test_who_is_to_halt_halts(killed: list[int]) -> None:
    Trap(CrashAt(CrashPoint.BEFORE_SUBMIT, stops=True)).reach(CrashPoint.BEFORE_SUBMIT)

    assert killed == [signal.SIGSTOP]


@pytest.mark.parametrize(
    ("point", "committed"),
    [(CrashPoint.BEFORE_SETTLE_COMMIT, 0), (CrashPoint.AFTER_SETTLE_COMMIT, 1)],
)
def test_a_commit_is_before_or_behind(
    monkeypatch: pytest.MonkeyPatch, point: CrashPoint, committed: int
) -> None:
    log, seen = Log(), []
    monkeypatch.setattr("os.kill", lambda _pid, _number: seen.append(len(log.lines)))

    with CrashingTransactions(log, Trap(CrashAt(point))).begin(ANYBODY) as uow:
        watched: Any = uow
        watched.batches.settle()

    assert seen == [committed]


def test_a_verb_that_did_nothing_leads_to_no_point(killed: list[int]) -> None:
    trap = Trap(CrashAt(CrashPoint.AFTER_PUT_BACK_COMMIT))

    with CrashingTransactions(Log(), trap).begin(ANYBODY) as uow:
        watched: Any = uow
        watched.batches.put_back()

    assert killed == []
