"""The crash matrix: every point at which a worker may die, times everything a gateway may do.

Each cell is a small campaign of its own: a worker meets the fault and dies (or halts, and wakes up
when others have gone on); then the system recovers by itself, and the judge looks. Nobody waits
for leases: whoever recovers has a clock that is ahead.
"""

import itertools
import random
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from adapters_sms.simulator.scenario import Fault, FaultName, Scenario
from adapters_sms.simulator.server import SimulatorOptions
from adapters_sms.simulator.thread import SimulatorThread
from tests.torture.guards.patches import Patch
from tests.torture.loops.judge import Verdict, judge
from tests.torture.matrix.forge import End, Fate, Forge, Order, Task
from tests.torture.shops import TOKEN_SECRET, Planned, Shops
from workers.dev.crash_points import CrashAt, CrashPoint
from workers.dev.embedded.processes import free_port

RECIPIENTS: Final = 14
BATCH_MESSAGES: Final = 5
FAULTY_CALLS: Final = 2
LATENCY_MS: Final = (40.0,)
"""Longer than a worker lives that dies in the middle of a call."""

NOBODY: Final = "nobody listens"
FAULTS: Final[Mapping[str, Fault | None]] = {
    "none": None,
    NOBODY: None,
    "closed unread": Fault(FaultName.CLOSE_UNREAD),
    "closed, nothing taken": Fault(FaultName.CLOSE),
    "silent, nothing taken": Fault(FaultName.HANG),
    "taken, then closed": Fault(FaultName.ACCEPT_CLOSE),
    "taken, then silent": Fault(FaultName.ACCEPT_HANG),
    "taken, then 500": Fault(FaultName.ACCEPT_STATUS, status=500),
    "taken, then 502": Fault(FaultName.ACCEPT_STATUS, status=502),
    "429 with Retry-After": Fault(FaultName.STATUS, status=429, retry_after="7"),
    "503": Fault(FaultName.STATUS, status=503),
    "500, nothing taken": Fault(FaultName.STATUS, status=500),
    "400": Fault(FaultName.STATUS, status=400),
    "413": Fault(FaultName.STATUS, status=413),
    "401": Fault(FaultName.STATUS, status=401),
    "404": Fault(FaultName.STATUS, status=404),
    "an answer too few": Fault(FaultName.MISSING_ENTRY),
    "an answer too many": Fault(FaultName.EXTRA_ENTRY),
    "repeated ids": Fault(FaultName.REPEATED_IDS),
    "unreadable 2xx": Fault(FaultName.UNREADABLE),
    "cut-off 2xx": Fault(FaultName.TRUNCATED),
    "some refused": Fault(FaultName.REJECT_SOME),
}
VARIABLES: Final = {
    "APP_ENV": "test",
    "REDIS_URL": "disabled",
    "MITTO_API_KEY": "key",
    "SMS_TRAFFIC_ACCOUNT_ID": "torture",
    "SMS_SEND_REFERENCE": "1",
    "MITTO_TIMEOUT_SECONDS": "1",
    "BATCH_LEASE_SECONDS": "3",
    "RATE_LIMIT_TRAFFIC_ACCOUNT_MAX": "100000",
    "RATE_LIMIT_TENANT_MAX": "100000",
    "UNSUBSCRIBE_TOKEN_SECRET": TOKEN_SECRET,
}
HALTS: Final = 0.4
_PUTS_BACK: Final = frozenset({NOBODY, "429 with Retry-After", "503", "401"})
_SPLITS: Final = frozenset({"400", "413"})
LEADS_TO: Final[Mapping[CrashPoint, Container[str]]] = {
    CrashPoint.BEFORE_PUT_BACK_COMMIT: _PUTS_BACK,
    CrashPoint.AFTER_PUT_BACK_COMMIT: _PUTS_BACK,
    CrashPoint.BEFORE_SPLIT_COMMIT: _SPLITS,
    CrashPoint.AFTER_SPLIT_COMMIT: _SPLITS,
}
"""Points that only some faults lead to."""
HOLDS_LOCKS: Final = frozenset(point for point in CrashPoint if point.startswith("before_"))


@attrs.frozen
class Cell:
    """A crash and a fault. `at` None: nobody dies."""

    at: CrashAt | None
    fault: str

    def __str__(self) -> str:
        if self.at is None:
            return f"nobody dies, {self.fault}"
        how = "halts" if self.at.stops else "dies"
        return f"{how} {self.at.point.value} ({self.at.count}), {self.fault}"


@attrs.frozen
class Outcome:
    """What became of a cell."""

    cell: Cell
    first: Fate
    others: tuple[Fate, ...]
    verdict: Verdict

    @property
    def was_reached(self) -> bool:
        return self.first.end in {End.KILLED, End.STOPPED}

    @property
    def is_clean(self) -> bool:
        """Nobody met a fault of ours, and the judge has nothing to say."""
        ended = {self.first.end, *(fate.end for fate in self.others)}
        return End.FAULTY not in ended and not self.verdict.complaints

    def __str__(self) -> str:
        ended = ", ".join(fate.end.value for fate in (self.first, *self.others))
        return f"{self.cell}: {ended}; {self.verdict}"


@attrs.frozen
class Laboratory:
    """Where cells are tried: a database, a forge, and a directory for the gateways' logs."""

    shops: Shops
    forge: Forge
    directory: Path
    patches: tuple[Patch, ...] = ()

    def lacking(self, *patches: Patch) -> "Laboratory":
        """The same, with workers that lack some guards."""
        return attrs.evolve(self, patches=patches)

    def campaign(self) -> Planned:
        """A store with a started campaign of three batches, and a gateway of good repute."""
        self.shops.execute("UPDATE gateway_health SET strain = 0, level = 0, rests_until = NULL")
        account = self.shops.new(RECIPIENTS)
        planned = self.shops.plan(account)
        self.shops.start(planned, BATCH_MESSAGES)
        return planned

    def gateway(self, planned: Planned, fault: Fault | None = None) -> SimulatorThread:
        """A gateway of this campaign's own."""
        faults = () if fault is None else (attrs.evolve(fault, calls_max=FAULTY_CALLS),)
        scenario = Scenario(seed=planned.campaign, faults=faults, latency_ms=LATENCY_MS)
        log = self.directory / f"{planned.mark}.jsonl"
        return SimulatorThread(SimulatorOptions(log, scenario=scenario))

    def order(self, gateway_url: str, *tasks: Task, at: CrashAt | None = None) -> Order:
        """A worker of this laboratory."""
        url = self.shops.url
        variables = {**VARIABLES, "DATABASE_URL": url, "MITTO_API_BASE": gateway_url}
        if at is not None:
            stop = ":stop" if at.stops else ""
            variables["CRASH_AT"] = f"{at.point.value}:{at.count}{stop}"
        return Order(variables, tasks, self.patches)

    def recover(self, planned: Planned, gateway_url: str) -> Fate:
        """Let minutes pass, with a gateway that works."""
        self.shops.resume_paused(planned)
        return self.forge.run(self.order(gateway_url, Task.RECOVER))

    def judge(self, planned: Planned) -> Verdict:
        return judge(self.shops, self.directory / f"{planned.mark}.jsonl", [planned])

    def sweep_up(self) -> None:
        """Close what a campaign without its guards left open, so that the next one is alone."""
        self.shops.execute(
            "UPDATE send_batch SET state = 'cancelled', lease_until = NULL "
            "WHERE state IN ('queued', 'claimed', 'submitting')"
        )

    def free_locks_of_the_halted(self) -> None:
        """What `idle_in_transaction_session_timeout` does after a minute."""
        self.shops.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE state = 'idle in transaction' AND datname = current_database()"
        )


def run_cell(laboratory: Laboratory, cell: Cell) -> Outcome:
    """Try one cell."""
    planned = laboratory.campaign()
    with laboratory.gateway(planned, FAULTS[cell.fault]) as gateway:
        nowhere = f"http://127.0.0.1:{free_port()}"
        url = nowhere if cell.fault == NOBODY else gateway.base_url
        tasks = (Task.SWEEP, Task.DISPATCH) if _is_swept(cell) else (Task.DISPATCH,)
        if _is_swept(cell):
            _leave_something_to_sweep(laboratory, url)
        first = laboratory.forge.run(laboratory.order(url, *tasks, at=cell.at))
        gateway.clear_faults()
        if first.end is End.STOPPED and cell.at is not None and cell.at.point in HOLDS_LOCKS:
            laboratory.free_locks_of_the_halted()
        others = [laboratory.recover(planned, gateway.base_url)]
        if first.end is End.STOPPED:
            others.append(laboratory.forge.go_on(first))
            others.append(laboratory.recover(planned, gateway.base_url))
    return Outcome(cell, first, tuple(others), laboratory.judge(planned))


def _is_swept(cell: Cell) -> bool:
    return cell.at is not None and "sweep" in cell.at.point


def _leave_something_to_sweep(laboratory: Laboratory, url: str) -> None:
    """One batch claimed and one being submitted, by workers that are dead."""
    for point in (CrashPoint.AFTER_SUBMIT, CrashPoint.AFTER_CLAIM):
        laboratory.forge.run(laboratory.order(url, Task.DISPATCH, at=CrashAt(point)))


def points() -> Sequence[CrashPoint]:
    """The points of dispatch and sweep; reports have their own test."""
    return [point for point in CrashPoint if not {"reports", "text"} & {*point.split("_")}]


def all_cells(seed: int) -> Iterator[Cell]:
    """Everything: each point dying and halting, at its first or at its second time."""
    dice = random.Random(f"{seed}:matrix")
    yield from (Cell(None, fault) for fault in FAULTS)
    for point, fault, stops in itertools.product(points(), FAULTS, (False, True)):
        yield Cell(CrashAt(point, dice.choice((1, 1, 2)), stops=stops), fault)


def sample(seed: int) -> list[Cell]:
    """Each point once, and each time another fault: one of those that lead there."""
    dice = random.Random(f"{seed}:sample")
    left = dice.sample(list(FAULTS), len(FAULTS))
    cells = []
    for point in sorted(points(), key=lambda point: point not in LEADS_TO):
        fault = next(fault for fault in left if fault in LEADS_TO.get(point, FAULTS))
        left.remove(fault)
        cells.append(Cell(CrashAt(point, stops=dice.random() < HALTS), fault))
    return cells
