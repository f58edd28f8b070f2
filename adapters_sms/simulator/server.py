"""The simulator's server: one port, the gateway's API and our control of it."""

import asyncio
import contextlib
from collections.abc import Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Final

import attrs

from adapters_sms.simulator import control
from adapters_sms.simulator.api import MESSAGES_PATH, MittoApi, Submission
from adapters_sms.simulator.faults import NOTHING_TAKEN, FaultPicker, refused, spoiled
from adapters_sms.simulator.log import MessageLog, now_text
from adapters_sms.simulator.reporter import Callback, Reporter
from adapters_sms.simulator.scenario import Fault, FaultName, Scenario
from adapters_sms.simulator.wire import (
    BUFFER_BYTES,
    BadRequest,
    Head,
    Response,
    json_response,
    read_body,
    read_head,
    reset,
)

STOP_SECONDS_MAX: Final = 5.0
LOOPBACK: Final = "127.0.0.1"


@attrs.frozen
class SimulatorOptions:
    """Where the simulator listens, writes and reports; port 0 takes any free one.

    Without `api_key` any key will do, without `traffic_account_id` any account.
    """

    log_path: Path
    port: int = 0
    host: str = LOOPBACK
    callback: Callback = attrs.field(factory=Callback)
    api_key: str | None = attrs.field(default=None, repr=False)
    traffic_account_id: str | None = None
    scenario: Scenario = attrs.field(factory=Scenario)


class Simulator:
    """A running stand-in for Mitto; all methods belong to its event loop."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.port = options.port
        self.log = MessageLog.open(options.log_path)
        self.faults = FaultPicker(options.scenario)
        self.reporter = Reporter(self.log, options.scenario, options.callback)
        self.api = MittoApi(self.log, options.api_key, options.traffic_account_id)
        self.calls = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def base_url(self) -> str:
        """What to set as MITTO_API_BASE."""
        return f"http://{self.options.host}:{self.port}"

    async def start(self) -> None:
        """Listen, and go on with the reports that an earlier run left."""
        await self._listen()
        self.reporter.take_up()
        self._spawn(self.reporter.run())
        self._begin_outages(self.options.scenario.faults)

    async def stop(self) -> None:
        """Finish the calls in flight, then close; reports not yet sent wait for the next start."""
        self._stopping = True
        self._close_port()
        if self._connections:
            await asyncio.wait(self._connections, timeout=STOP_SECONDS_MAX)
        left = [*self._connections, *self._tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self.log.close()

    def play(self, scenario: Scenario) -> None:
        """Begin another scenario; what was planned for earlier messages stays."""
        self.faults.load(scenario)
        self.reporter.scenario = scenario
        self._begin_outages(scenario.faults)

    def add_fault(self, fault: Fault) -> None:
        """Add a fault to the scenario; it comes first."""
        self.faults.add(fault)
        self._begin_outages((fault,))

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._connected, self.options.host, self.port, limit=BUFFER_BYTES, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def _close_port(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._idle):
            writer.close()

    def _begin_outages(self, faults: tuple[Fault, ...]) -> None:
        seconds = [fault.seconds for fault in faults if fault.name is FaultName.OUTAGE]
        if seconds and self._server is not None:
            self._close_port()
            self._spawn(self._end_outage(max(seconds)))

    async def _end_outage(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self._stopping:
            await self._listen()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self._stopping and await self._one_call(reader, writer):
                pass
        except BadRequest as error:
            answer = json_response(error.status, {"error": "Bad request"})
            writer.write(answer.encode(keep_alive=False))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the caller went away; there is nobody left to tell
        finally:
            self._idle.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; returns whether the connection goes on."""
        self._idle.add(writer)
        head = await read_head(reader)
        self._idle.discard(writer)
        received_at = now_text()
        if head is None:
            return False
        fault = self.faults.pick() if self.api.is_sending(head) else None
        if fault is not None and fault.name is FaultName.CLOSE_UNREAD:
            reset(writer)
            return False
        body = await read_body(head, reader, writer)
        response = await self._answer(head, body, fault, received_at)
        if response is None:
            if fault is not None and fault.name in (FaultName.HANG, FaultName.ACCEPT_HANG):
                await self._hang(reader, writer, fault.seconds)
            return False
        keep_alive = head.keeps_alive and response.sent_bytes_max is None
        data = response.encode(keep_alive=keep_alive)
        if response.sent_bytes_max is not None:
            data = data[: len(data) - len(response.body) + response.sent_bytes_max]
        writer.write(data)
        await writer.drain()
        return keep_alive

    async def _hang(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
    ) -> None:
        """Say nothing until the time is over, the caller gives up, or we stop."""
        self._idle.add(writer)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), seconds)

    async def _answer(
        self, head: Head, body: bytes, fault: Fault | None, received_at: str
    ) -> Response | None:
        """The answer to a request; None if it gets none."""
        if head.path.startswith(control.PREFIX):
            return await control.answer(self, head, body)
        refusal = self.api.refusal(head)
        if refusal is not None:
            return refusal
        if self.api.is_sending(head):
            return await self._take(head, body, fault, received_at)
        if head.method == "GET" and head.path.startswith(MESSAGES_PATH):
            return self.api.look_up(head)
        return json_response(HTTPStatus.NOT_FOUND, {"error": "No such resource"})

    async def _take(
        self, head: Head, body: bytes, fault: Fault | None, received_at: str
    ) -> Response | None:
        """A sending call: what is taken is in the log before anything is answered."""
        self.calls += 1
        latency = self.faults.latency_seconds()
        if fault is not None and fault.name is FaultName.SLOW:
            latency += fault.seconds
        if latency:
            await asyncio.sleep(latency)
        if fault is not None and fault.name in NOTHING_TAKEN:
            return refused(fault) if fault.name is FaultName.STATUS else None
        submission = self.api.understand(head, body, self.faults.scenario)
        if isinstance(submission, Response):
            return submission
        if fault is not None and fault.name is FaultName.REJECT_SOME:
            submission = self.faults.with_rejections(submission, fault.share)
        answer = self._accept(submission, received_at)
        return json_response(HTTPStatus.OK, answer) if fault is None else spoiled(fault, answer)

    def _accept(self, submission: Submission, received_at: str) -> dict[str, object]:
        taken = submission.messages
        if submission.problems:
            taken = [m for i, m in enumerate(taken) if i not in submission.problems]
        numbers = self.log.append_accepted(taken, received_at)
        self.reporter.expect(numbers)
        return self.api.answer(submission, numbers)
