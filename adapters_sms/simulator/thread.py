"""The simulator in a thread of its own, for tests and for the development process."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from adapters_sms.simulator import control
from adapters_sms.simulator.log import LogEntry, read_accepted, read_log
from adapters_sms.simulator.scenario import Fault, Scenario
from adapters_sms.simulator.server import Simulator, SimulatorOptions

T = TypeVar("T")

START_SECONDS_MAX: Final = 30.0
CALL_SECONDS_MAX: Final = 60.0


class SimulatorThread:
    """Runs a simulator while the `with` block lasts; may be called from any thread."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._simulator: Simulator | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mitto-simulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(START_SECONDS_MAX)
        if self._simulator is None:
            self._thread.join()
            raise RuntimeError("the simulator did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Finish the calls in flight and end; once stopped, stopping again does nothing."""
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def base_url(self) -> str:
        """What to set as MITTO_API_BASE."""
        return self._running.base_url

    @property
    def log(self) -> Path:
        """The log file."""
        return self._options.log_path

    def entries(self) -> tuple[LogEntry, ...]:
        """Everything in the log so far."""
        return read_log(self.log)

    def accepted(self) -> tuple[LogEntry, ...]:
        """Every message taken so far."""
        return read_accepted(self.log)

    def play(self, scenario: Scenario) -> None:
        """Begin another scenario."""
        self._call(lambda simulator: simulator.play(scenario))

    def add_fault(self, fault: Fault) -> None:
        """Add a fault; it comes first."""
        self._call(lambda simulator: simulator.add_fault(fault))

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._call(lambda simulator: simulator.faults.clear())

    def counts(self) -> Mapping[str, object]:
        """The figures of `GET /_control/counts`."""
        return self._call(control.counts)

    def set_status(self, word: str) -> None:
        """Let a look-up give this word for every message so far; nothing is reported."""
        self._call(lambda simulator: simulator.log.set_word(range(len(simulator.log)), word))

    def send_inbound(self, sender: str, receiver: str, text: str) -> int:
        """Hand an inbound message to the callback; returns its HTTP status."""
        fields = {"from": sender, "to": receiver, "text": text}
        return self._await(self._running.reporter.send_inbound(fields))

    def send_reports(self, body: object) -> int:
        """Hand any body to the reports' callback at once; returns its HTTP status."""
        return self._await(self._running.reporter.send_raw(body))

    def wait_until_reported(self, timeout_seconds: float = 30.0) -> bool:
        """Wait until every planned report was answered or given up; False if time is over."""
        deadline = time.monotonic() + timeout_seconds
        while self._call(lambda simulator: simulator.reporter.waiting):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    @property
    def _running(self) -> Simulator:
        if self._simulator is None:
            raise RuntimeError("the simulator does not run")
        return self._simulator

    def _call(self, work: Callable[[Simulator], T]) -> T:
        async def inside() -> T:
            return work(self._running)

        return self._await(inside())

    def _await(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        except BaseException as error:  # noqa: BLE001 - shown by the thread that started us
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _main(self) -> None:
        simulator = Simulator(self._options)
        await simulator.start()
        self._simulator = simulator
        self._ready.set()
        await self._stop.wait()
        await simulator.stop()
        self._simulator = None
