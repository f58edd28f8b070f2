"""Nudges periodic jobs, in the one process that leads."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Final, Protocol

import attrs
from loguru import logger

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.jobs import Job
from retail_core.kernel.time.clock import Clock
from workers.jobs.periodic import Periodic
from workers.jobs.running import Putting
from workers.processes.trouble import Trouble

LEAD_CHECK_SECONDS: Final = 5.0
TICK_SECONDS: Final = 1.0
LASTING_CHECK_SECONDS: Final = 60.0


class Lead(Protocol):
    """Held by one process at a time."""

    def hold(self) -> bool:
        """Take the lead or keep it. Raises `Unavailable`; then it is not held."""
        ...

    def release(self) -> None: ...


class LastingJobs(Protocol):
    """Periodic jobs that are written down when they ran."""

    def put_due(self, jobs: Sequence[tuple[Job, timedelta]], now: datetime) -> Sequence[str]:
        """Write those that are due into the outbox; returns their keys. Raises `Unavailable`."""
        ...


@attrs.define
class Ticks:
    """When each periodic job is due next, as far as this process knows."""

    periodic: Sequence[Periodic]
    seconds_now: Callable[[], float]
    _due_at: dict[str, float] = attrs.field(init=False, factory=dict)

    def due(self) -> list[Periodic]:
        """Those whose time has come; each is then due again after its period."""
        now = self.seconds_now()
        due = [each for each in self.periodic if self._due_at.get(each.job.key, now) <= now]
        for each in due:
            self._due_at[each.job.key] = now + self._period_seconds(each)
        return due

    def again(self, periodic: Periodic) -> None:
        """This one could not be nudged: it is due at once."""
        self._due_at.pop(periodic.job.key, None)

    @staticmethod
    def _period_seconds(periodic: Periodic) -> float:
        # lasting ones are looked up in the database, which knows when they ran
        return LASTING_CHECK_SECONDS if periodic.is_lasting else periodic.every.total_seconds()


@attrs.define
class LeadLoop:
    """Takes the lead when it is free and nudges periodic jobs as long as it is held."""

    lead: Lead
    queue: Putting
    lasting: LastingJobs
    clock: Clock
    periodic: Sequence[Periodic]
    seconds_now: Callable[[], float] = time.monotonic
    is_leading: bool = attrs.field(init=False, default=False)
    _ticks: Ticks = attrs.field(init=False)
    _checked_at: float = attrs.field(init=False, default=float("-inf"))
    _leading: Trouble = attrs.field(init=False, factory=lambda: Trouble("the leader's lease"))
    _nudging: Trouble = attrs.field(init=False, factory=lambda: Trouble("the periodic nudges"))

    def __attrs_post_init__(self) -> None:
        self._ticks = Ticks(self.periodic, self.seconds_now)

    def __call__(self, stop: Event) -> None:
        while not stop.wait(self.tick()):
            pass
        self.lead.release()

    def tick(self) -> float:
        """Do what is due; returns the seconds to wait before the next tick."""
        try:
            self._check_lead()
        except Unavailable as error:
            self._lead(held=False)
            return self._leading.met(error)
        self._leading.over()
        if not self.is_leading:
            return LEAD_CHECK_SECONDS
        try:
            self._nudge_due()
        except Unavailable as error:
            return self._nudging.met(error)
        self._nudging.over()
        return TICK_SECONDS

    def _check_lead(self) -> None:
        now = self.seconds_now()
        if self.is_leading and now - self._checked_at < LEAD_CHECK_SECONDS:
            return
        self._lead(held=self.lead.hold())
        self._checked_at = now

    def _lead(self, *, held: bool) -> None:
        if held != self.is_leading:
            logger.info("leads the periodic jobs" if held else "no longer leads")
        self.is_leading = held

    def _nudge_due(self) -> None:
        due = self._ticks.due()
        for at, each in enumerate(due):
            try:
                self._nudge(each)
            except Unavailable:
                for missed in due[at:]:
                    self._ticks.again(missed)
                raise

    def _nudge(self, periodic: Periodic) -> None:
        if periodic.is_lasting:
            self.lasting.put_due([(periodic.job, periodic.every)], self.clock.now())
        else:
            self.queue.put(periodic.job)
