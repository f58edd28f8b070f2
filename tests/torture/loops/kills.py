"""Kill loops: everything is killed or halted at random moments while campaigns go out and people
leave; then the judge looks.

One number decides everything that is left to chance. (What the machine does in between is not: a
seed repeats the story, not the microsecond.)
"""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from retail_core.kernel.process.machine import SystemClock
from retail_core.messages.use_cases import MatchParkedReports, ResolveByReports
from tests.torture.loops.actors import Act, Actors
from tests.torture.loops.fleet import HALTED, LEASE_SECONDS, WEIGHTS, Fleet, Victim
from tests.torture.loops.judge import Verdict, judge
from tests.torture.loops.owners import Owners, patiently
from tests.torture.shops import AWAY, Shops

RECOVERY_SECONDS_MAX: Final = LEASE_SECONDS + 5
REST_SECONDS_MAX: Final = 90
REPORTS_SECONDS_MAX: Final = 20
"""A sweep and a slice of other work; what waits for the tick of a minute takes longer."""
WATCH_SECONDS: Final = 0.05

# A quarter of all calls goes wrong, in every way that an answer can.
FAULTS: Final = (
    {"name": "accept-close", "rate": 0.03},
    {"name": "accept-hang", "rate": 0.02},
    {"name": "accept-status", "rate": 0.03, "status": 500},
    {"name": "close-unread", "rate": 0.03},
    {"name": "close", "rate": 0.02},
    {"name": "hang", "rate": 0.01},
    {"name": "status", "rate": 0.03, "status": 429, "retry_after": "1"},
    {"name": "status", "rate": 0.02, "status": 503},
    {"name": "status", "rate": 0.02, "status": 400},
    {"name": "status", "rate": 0.005, "status": 401},
    {"name": "missing-entry", "rate": 0.02},
    {"name": "repeated-ids", "rate": 0.01},
    {"name": "unreadable", "rate": 0.02},
    {"name": "truncated", "rate": 0.01},
    {"name": "reject-some", "rate": 0.02, "share": 0.2},
)
REPORTS: Final = {
    "words": ["Sent", "Delivered"],
    "first_delay_ms": 100,
    "step_ms": 200,
    "spread_ms": 400,
    "array_max": 100,
    "failed_rate": 0.02,
    "doubled_rate": 0.05,
    "reordered_rate": 0.1,
    "attempts_max": 60,
}
LATENCIES_MS: Final = [1.0, 5.0, 20.0, 80.0, 200.0]

_BUSY: Final = """
SELECT count(*) FROM send_batch b JOIN campaign c ON c.id = b.campaign_id
WHERE b.state IN ('claimed', 'submitting') OR (b.state = 'queued' AND c.state = 'sending'
      AND (b.not_before IS NULL OR b.not_before <= now()))
"""
_IN_HANDS: Final = """
SELECT campaign_id, no, attempt FROM send_batch WHERE state IN ('claimed', 'submitting')
"""
_OPEN: Final = "SELECT count(*) FROM campaign WHERE state IN ('sending', 'paused')"
_HURRY: Final = """
UPDATE send_batch SET not_before = now() WHERE not_before > now();
UPDATE gateway_health SET rests_until = now() WHERE rests_until > now()
"""
_CLOSE_BREAKER: Final = "UPDATE gateway_health SET strain = 0, level = 0, rests_until = NULL"
_INBOX: Final = "SELECT count(*) FROM report_inbox WHERE applied_at IS NULL"
_UNHEARD: Final = "SELECT count(*) FROM inbound_text WHERE applied_at IS NULL"
_TRY_NOW: Final = "UPDATE report_parked SET next_try_at = now() WHERE next_try_at > now()"
_PARKED: Final = "SELECT count(*) FROM report_parked"
_FAILED_JOBS: Final = "SELECT kind || ': ' || error || ' ' || detail FROM failed_job"


@attrs.define
class Story:
    """What one seed did, and how it ended."""

    seed: int
    kills: Counter[Victim] = attrs.field(factory=Counter)
    halts: Counter[Victim] = attrs.field(factory=Counter)
    done: Counter[str] = attrs.field(factory=Counter)
    """What owners and people did, and was confirmed."""
    campaigns: int = 0
    recovery_seconds: float = 0.0
    """From when the last one is killed or goes on, until no batch is left with who is dead."""
    rest_seconds: float = 0.0
    """From there until nothing is left to do."""
    reports_seconds: float = 0.0
    """Of that: from when the gateway has told all, until all of it is applied."""
    failed_jobs: list[str] = attrs.field(factory=list)
    troubles: list[str] = attrs.field(factory=list)
    verdict: Verdict = attrs.field(factory=Verdict)

    @property
    def is_clean(self) -> bool:
        """Nothing doubled, lost or overspent, and the rest was over soon enough."""
        return (
            not self.verdict.complaints
            and not self.troubles
            and self.recovery_seconds <= RECOVERY_SECONDS_MAX
            and self.reports_seconds <= REPORTS_SECONDS_MAX
        )


@attrs.frozen
class Chaos:
    """One seed on a running fleet."""

    fleet: Fleet
    shops: Shops
    story: Story
    owners: Owners

    @classmethod
    def of(cls, fleet: Fleet, shops: Shops, seed: int) -> "Chaos":
        """The chaos of this seed."""
        dice = random.Random(f"{seed}:owners")
        return cls(fleet, shops, Story(seed), Owners(shops, dice))

    def run(self, seconds: float, directory: Path) -> Story:
        """Let all act for so long, killing and halting; then let everything rest, and judge."""
        seed = self.story.seed
        scenario = {"seed": seed, "faults": FAULTS, "latency_ms": LATENCIES_MS, "reports": REPORTS}
        log = directory / f"mitto-{seed}.jsonl"
        self.fleet.start_gateway(scenario, log)
        self.fleet.choose_a_point(random.Random(f"{seed}:points"))
        self.fleet.start_processes()
        self.owners.open_stores()
        actors = Actors.of(self.owners, self.fleet.api_url, log, seed)
        is_over = threading.Event()
        with self._watched(is_over):
            self._play(seconds, (self.owners.act, *actors.acts), is_over)
            self._rest(actors)
            self.story.campaigns = len(self.owners.campaigns)
            self.story.done = actors.done
            self.story.troubles += actors.faults
            witnessed = self.owners.witnessed
            self.story.verdict = judge(self.shops, log, self.owners.campaigns, witnessed)
        actors.close()
        self.fleet.stop_processes()
        return self.story

    def _play(self, seconds: float, acts: Sequence[Act], is_over: threading.Event) -> None:
        """Everybody acts while everything is killed and halted; then work is taken up again."""
        threads = [threading.Thread(target=self._do, args=(act, is_over)) for act in acts]
        for thread in threads:
            thread.start()
        self._until("somebody is sent to", self._is_sending)
        self._torture(time.monotonic() + seconds)
        is_over.set()
        self._recover()
        for thread in threads:
            thread.join()

    def _torture(self, until: float) -> None:
        dice = random.Random(f"{self.story.seed}:kills")
        fates = [(self._kill, WEIGHTS), (self._halt, HALTED)]
        # one of each first, in any order, so that no process is spared by chance
        order = [(fate, victim) for fate, victims in fates for victim in victims]
        dice.shuffle(order)
        while time.monotonic() < until:
            time.sleep(dice.uniform(0.05, 0.5))
            self.fleet.choose_a_point(dice)
            if order:
                fate, victim = order.pop()
            else:
                fate, weights = dice.choice(fates)
                victim = dice.choices(list(weights), list(weights.values()))[0]
            fate(victim, dice)
            if self.story.seed % 2:
                self._keep_calling()
        self.fleet.let_all_go_on()

    @contextlib.contextmanager
    def _watched(self, is_over: threading.Event) -> Iterator[None]:
        """Nobody who halts by itself halts for ever, nor at all once the killing is over."""
        dice = random.Random(f"{self.story.seed}:halts")
        is_judged = threading.Event()

        def watch() -> None:
            while not is_judged.wait(WATCH_SECONDS):
                if is_over.is_set():
                    self.fleet.wake()
                else:
                    self.story.halts[Victim.AT_A_POINT] += self.fleet.find_who_halts(dice)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            is_judged.set()
            watching.join()

    def _kill(self, victim: Victim, dice: random.Random) -> None:
        self.fleet.kill(victim, dice)
        self.story.kills[victim] += 1

    def _halt(self, victim: Victim, dice: random.Random) -> None:
        self.fleet.halt(victim, dice)
        self.story.halts[victim] += 1

    def _keep_calling(self) -> None:
        """Close the circuit breaker: it would spare the gateway most of the calls that go wrong.

        Only with every other seed, since it must not double or lose anybody either.
        """
        with contextlib.suppress(*AWAY):
            self.shops.execute(_CLOSE_BREAKER)

    def _do(self, act: Act, is_over: threading.Event) -> None:
        try:
            act(is_over.is_set)
        except Exception as error:  # noqa: BLE001 - told in the main thread
            self.story.troubles.append(f"somebody met {error!r}")

    def _recover(self) -> None:
        """Measure how long the interrupted work takes."""
        began = time.monotonic()
        interrupted = set(patiently(lambda: self.shops.query(_IN_HANDS)))
        self._until("who is dead holds nothing", lambda: self._is_free(interrupted))
        self.story.recovery_seconds = time.monotonic() - began

    def _rest(self, actors: Actors) -> None:
        """Hurry what waits on purpose, and write once more to all who are still in."""
        began = time.monotonic()
        self._until("what is due is done", lambda: self._hurried(_BUSY))
        self.fleet.control("DELETE", "faults")
        self._until("every campaign has ended", lambda: self._hurried(_OPEN))
        self._until("every text of a person is applied", lambda: self._is_zero(_UNHEARD))
        patiently(actors.look_for_stops)
        self.owners.call_for_the_last_time()
        self._until("every last campaign has ended", lambda: self._hurried(_OPEN))
        self._until("every report was answered", self._is_reported)
        told = time.monotonic()
        self._until("every report is applied", lambda: self._is_zero(_INBOX))
        self.story.reports_seconds = time.monotonic() - told
        self._until("every report found its message", self._is_matched)
        self.story.rest_seconds = time.monotonic() - began
        self.owners.witnessed.unheard += actors.unheard
        self.owners.witnessed.refused += actors.refused
        self.story.failed_jobs = [row[0] for row in self.shops.query(_FAILED_JOBS)]
        self.shops.execute("DELETE FROM failed_job")

    def _is_free(self, interrupted: set[tuple[Any, ...]]) -> bool:
        return not interrupted & set(self.shops.query(_IN_HANDS))

    def _hurried(self, count: str) -> bool:
        """Whoever waits on purpose, or for an owner, need not wait here."""
        self.owners.resume_all()
        self.shops.execute(_HURRY)
        self.shops.execute(_CLOSE_BREAKER)
        return self._is_zero(count)

    def _is_sending(self) -> bool:
        return bool(self.fleet.control("GET", "counts")["accepted"])

    def _is_reported(self) -> bool:
        return not self.fleet.control("GET", "counts")["reportsWaiting"]

    def _is_matched(self) -> bool:
        """What workers do every minute: nobody waits for it here."""
        self.shops.execute(_TRY_NOW)
        for match in (ResolveByReports, MatchParkedReports):
            match(self.shops.transactions, SystemClock())()
        return self._is_zero(_PARKED)

    def _is_zero(self, count: str) -> bool:
        ((found,),) = self.shops.query(count)
        return not found

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + REST_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except AWAY:
                pass
            time.sleep(0.1)
        self.story.troubles.append(f"not in {REST_SECONDS_MAX} s: {what}")
