"""Sends delivery reports and inbound messages to the callback, as the scenario wants them."""

import asyncio
import contextlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import attrs
import httpx
import orjson

from adapters_sms.simulator.log import MessageLog
from adapters_sms.simulator.scenario import ReportPlan, Scenario

CALLBACK_TIMEOUT_SECONDS: Final = 10.0
RETRY_SECONDS_FIRST: Final = 0.25
RETRY_SECONDS_MAX: Final = 5.0
DELAY_ROUNDED_TO_MS: Final = 20
FAILURE_TEXT: Final = "Absent subscriber"


@attrs.frozen
class Callback:
    """Where reports and inbound messages go, and the secret they carry (`X-Webhook-Token`)."""

    reports_url: str | None = None
    inbound_url: str | None = None
    secret: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Step:
    """One thing that is said about a message: after how long, and whether it is sent and true."""

    delay_ms: int
    word: str
    is_sent: bool = True
    is_true: bool = True


@attrs.frozen(order=True)
class _Event:
    due: float
    order: int
    numbers: Sequence[int] = attrs.field(order=False)
    step: Step = attrs.field(order=False)


class Reporter:
    """Knows what will be said about each message and says it when it is due.

    The look-up's word changes when a true step is due, whether or not its report arrives.
    """

    def __init__(self, log: MessageLog, scenario: Scenario, callback: Callback) -> None:
        self.log = log
        self.scenario = scenario
        self.callback = callback
        self.waiting = 0
        """Reports not yet answered or given up."""
        self.sent = 0
        self._events: list[_Event] = []
        self._orders = itertools.count()
        self._ready: deque[tuple[int, str]] = deque()
        self._changed = asyncio.Event()
        self._something_ready = asyncio.Condition()

    def expect(self, numbers: Sequence[int]) -> None:
        """Plan the reports of messages that were just taken."""
        now = asyncio.get_running_loop().time()
        for step, group in _grouped(numbers, self.scenario):
            event = _Event(now + step.delay_ms / 1000, next(self._orders), group, step)
            heapq.heappush(self._events, event)
            if step.is_sent and self.callback.reports_url:
                self.waiting += len(group)
        self._changed.set()

    def take_up(self) -> None:
        """Plan the reports of messages that an earlier run took and did not see through."""
        plan = self.scenario.reports
        ends = {plan.words[-1], plan.failed_word} if plan.words else set()
        left = [number for number in range(len(self.log)) if self.log.word(number) not in ends]
        if left:
            self.expect(left)

    async def run(self) -> None:
        """Work until cancelled."""
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            limits=limits, timeout=CALLBACK_TIMEOUT_SECONDS, trust_env=False
        ) as client:
            senders = [
                asyncio.create_task(self._send_for_ever(client))
                for _ in range(self.scenario.reports.parallel_calls)
            ]
            try:
                while True:
                    await self._release()
            finally:
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)

    async def send_inbound(self, fields: Mapping[str, object]) -> int:
        """Hand an inbound message to the callback; returns its HTTP status, 0 for no answer."""
        async with httpx.AsyncClient(timeout=CALLBACK_TIMEOUT_SECONDS, trust_env=False) as client:
            status = await self._post(client, self.callback.inbound_url, fields)
        self.log.append("inbound", [_inbound_line(fields, status)])
        return status

    async def send_raw(self, body: object) -> int:
        """Hand any body to the reports' callback at once; returns its HTTP status."""
        async with httpx.AsyncClient(timeout=CALLBACK_TIMEOUT_SECONDS, trust_env=False) as client:
            return await self._post(client, self.callback.reports_url, body)

    async def _release(self) -> None:
        """Sleep until the next step is due, then make it true and ready to be sent."""
        self._changed.clear()
        loop = asyncio.get_running_loop()
        wait = self._events[0].due - loop.time() if self._events else None
        if wait is None or wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
            return
        event = heapq.heappop(self._events)
        if event.step.is_true:
            self.log.set_word(event.numbers, event.step.word)
        if event.step.is_sent and self.callback.reports_url:
            async with self._something_ready:
                self._ready.extend((number, event.step.word) for number in event.numbers)
                self._something_ready.notify_all()

    async def _send_for_ever(self, client: httpx.AsyncClient) -> None:
        shuffle = random.Random(self.scenario.seed).shuffle  # noqa: S311 - reproducible, not secret
        while True:
            async with self._something_ready:
                await self._something_ready.wait_for(lambda: bool(self._ready))
                count = min(len(self._ready), self.scenario.reports.array_max)
                batch = [self._ready.popleft() for _ in range(count)]
            if self.scenario.reports.shuffled:
                shuffle(batch)
            await self._send(client, batch)

    async def _send(self, client: httpx.AsyncClient, batch: Sequence[tuple[int, str]]) -> None:
        """Send some reports in one call, again and again until it is answered with 2xx."""
        plan = self.scenario.reports
        elements = [self._report(number, word, plan) for number, word in batch]
        body = elements[0] if plan.array_max == 1 else elements
        pause = RETRY_SECONDS_FIRST
        status = 0
        for attempt in range(plan.attempts_max):
            if attempt:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_SECONDS_MAX)
            status = await self._post(client, self.callback.reports_url, body)
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                break
        self.log.append(
            "report",
            [
                {"messageId": self.log.id_of(number), "status": word, "httpStatus": status}
                for number, word in batch
            ],
        )
        self.sent += len(batch)
        self.waiting -= len(batch)

    async def _post(self, client: httpx.AsyncClient, url: str | None, body: object) -> int:
        if url is None:
            return 0
        headers = {"Content-Type": "application/json"}
        if self.callback.secret is not None:
            headers["X-Webhook-Token"] = self.callback.secret
        try:
            response = await client.post(url, content=orjson.dumps(body), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return 0
        return response.status_code

    def _report(self, number: int, word: str, plan: ReportPlan) -> dict[str, object]:
        message = self.log.message(number)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        names = CLASSIC_NAMES if plan.classic_names else MESSAGES_NAMES
        report: dict[str, object] = {
            names[0]: message["messageId"],
            names[1]: word,
            names[2]: at,
            names[3]: message["destination"],
        }
        if message.get("reference") is not None:
            report["reference"] = message["reference"]
        if word == plan.failed_word:
            report[names[4]] = FAILURE_TEXT
        return report


MESSAGES_NAMES: Final = ("messageId", "deliveryStatus", "updatedAt", "destination", "description")
CLASSIC_NAMES: Final = ("id", "status", "timestamp", "receiver", "error")


def _inbound_line(fields: Mapping[str, object], status: int) -> dict[str, object]:
    return {
        "sender": str(fields.get("from", "")),
        "destination": str(fields.get("to", "")),
        "text": str(fields.get("text", "")),
        "httpStatus": status,
    }


def _grouped(numbers: Sequence[int], scenario: Scenario) -> Sequence[tuple[Step, Sequence[int]]]:
    """The steps of these messages; those that share a step stay together."""
    plan = scenario.reports
    if plan.is_plain:
        return [
            (Step(plan.first_delay_ms + index * plan.step_ms, word), numbers)
            for index, word in enumerate(plan.words)
        ]
    groups: dict[Step, list[int]] = {}
    for number in numbers:
        dice = random.Random(f"{scenario.seed}:{number}")  # noqa: S311 - reproducible, not secret
        for step in fate_of(plan, dice):
            groups.setdefault(step, []).append(number)
    return list(groups.items())


def fate_of(plan: ReportPlan, dice: random.Random) -> Sequence[Step]:
    """All that is said about one message. The dice are thrown in a fixed order, come what may."""
    fails, lost, reordered, doubled, contradicted, unknown = (
        dice.random() < rate
        for rate in (
            plan.failed_rate,
            plan.lost_rate,
            plan.reordered_rate,
            plan.doubled_rate,
            plan.contradicted_rate,
            plan.unknown_rate,
        )
    )
    if not plan.words:
        return ()
    words = (*plan.words[:-1], plan.failed_word if fails else plan.words[-1])
    late = round(dice.random() * plan.spread_ms / DELAY_ROUNDED_TO_MS) * DELAY_ROUNDED_TO_MS
    delays = [plan.first_delay_ms + index * plan.step_ms + late for index in range(len(words))]
    order = list(reversed(words)) if reordered else words
    steps = [
        Step(delay, word, is_sent=not lost, is_true=not reordered or word == words[-1])
        for delay, word in zip(delays, order, strict=True)
    ]
    end = delays[-1] + plan.step_ms
    if doubled:
        steps += [attrs.evolve(step, delay_ms=end, is_true=False) for step in steps]
    if contradicted:
        opposite = plan.words[-1] if fails else plan.failed_word
        steps.append(Step(end, opposite, is_sent=not lost, is_true=False))
    if unknown:
        steps.append(Step(delays[0], plan.unknown_word, is_sent=not lost, is_true=False))
    return steps
