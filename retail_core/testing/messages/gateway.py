"""An SMS gateway, its pace and its reports in memory."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.kernel.time.clock import Clock, Deadline
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    DeliveryReport,
    Doubtful,
    GatewayMessage,
    MessageState,
    NotSent,
    OutgoingMessage,
    Rejection,
    SubmissionOutcome,
    TooLate,
)
from retail_core.testing.kernel.clock import FixedClock

Answer = SubmissionOutcome | Callable[[Sequence[OutgoingMessage]], SubmissionOutcome]


@attrs.define
class FakeGateway:
    """A gateway that takes everything, unless a test says otherwise for the next calls.

    `accepted` is what the phones would have received, in order; `calls` is what was asked, also
    where nothing was taken. Ids of messages begin with `name`.
    """

    clock: Clock = attrs.field(factory=FixedClock)
    is_away: bool = False
    name: str = "fake"
    accepted: list[OutgoingMessage] = attrs.field(init=False, factory=list)
    calls: list[tuple[OutgoingMessage, ...]] = attrs.field(init=False, factory=list)
    _answers: deque[Answer] = attrs.field(init=False, factory=deque)
    _halts: deque[Callable[[], None]] = attrs.field(init=False, factory=deque)
    _taken: dict[ProviderId, OutgoingMessage] = attrs.field(init=False, factory=dict)
    _states: dict[ProviderId, MessageState] = attrs.field(init=False, factory=dict)

    def submit(self, messages: Sequence[OutgoingMessage], deadline: Deadline) -> SubmissionOutcome:
        """Take the messages, or give the answer that was ordered for this call."""
        if self._halts:
            self._halts.popleft()()
        if deadline.is_over(self.clock):
            return TooLate("too_late")
        if self.is_away:
            return NotSent("away")
        self.calls.append(tuple(messages))
        if not self._answers:
            return self.take(messages)
        answer = self._answers.popleft()
        return answer(messages) if callable(answer) else answer

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        """Say what `become` said last; a message just taken is sent."""
        if self.is_away:
            raise GatewayUnavailable
        message = self._taken.get(provider_id)
        if message is None:
            return None
        report = self._report(provider_id)
        return GatewayMessage(
            provider_id=provider_id,
            state=report.state,
            word=report.word,
            at=report.at,
            error=report.error,
            parts=1,
            raw={"messageId": provider_id, "text": message.text, "sender": message.sender},
        )

    def take(self, messages: Sequence[OutgoingMessage]) -> Accepted:
        """Take these messages; each gets an id of its own."""
        ids = []
        for message in messages:
            provider_id = ProviderId(f"{self.name}-{len(self.accepted) + 1}")
            self.accepted.append(message)
            self._taken[provider_id] = message
            self._states[provider_id] = MessageState.SENT
            ids.append(provider_id)
        return Accepted(tuple(ids))

    def answer_next(self, *answers: Answer) -> None:
        """Order the answers to the next calls; an outcome as such takes nothing."""
        self._answers.extend(answers)

    def halt_before_next(self, meanwhile: Callable[[], None]) -> None:
        """Let the caller stand still before the next call, and this happen meanwhile."""
        self._halts.append(meanwhile)

    def lose_next_answer(self) -> None:
        """Take the messages of the next call, but let its answer get lost."""

        def lose(messages: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            self.take(messages)
            return Doubtful("answer_lost")

        self._answers.append(lose)

    def reject_next(self, is_rejected: Callable[[OutgoingMessage], bool]) -> None:
        """Take of the next call only the messages for which this is false."""

        def reject(messages: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            return Accepted(
                tuple(
                    Rejection("8", "Invalid receiver")
                    if is_rejected(message)
                    else self.take([message]).results[0]
                    for message in messages
                )
            )

        self._answers.append(reject)

    def become(self, state: MessageState, *provider_ids: ProviderId) -> Sequence[DeliveryReport]:
        """Let these messages (default: all) reach a state; returns the reports about it."""
        concerned = provider_ids or tuple(self._taken)
        self._states.update(dict.fromkeys(concerned, state))
        return tuple(self._report(provider_id) for provider_id in concerned)

    def _report(self, provider_id: ProviderId) -> DeliveryReport:
        message, state = self._taken[provider_id], self._states[provider_id]
        return DeliveryReport(
            provider_id=provider_id,
            reference=message.number,
            phone=message.destination,
            state=state,
            word=state.name.lower(),
            at=self.clock.now(),
            error="failed" if state is MessageState.FAILED else None,
        )


@attrs.define
class FakePace:
    """Counts calls as the real pace does, by a clock that only the test moves."""

    clock: Clock = attrs.field(factory=FixedClock)
    account_calls_max: int = 100
    store_calls_max: int = 50
    window: timedelta = timedelta(seconds=1)
    reserved: list[tuple[AccountId, datetime]] = attrs.field(init=False, factory=list)

    def reserve(self, account: AccountId) -> float:
        """Take the first moment with which no window holds too many calls."""
        at = now = self.clock.now()
        tried = None
        while at != tried:
            tried = at
            own = [when for who, when in self.reserved if who == account]
            at = self._next_free([when for _, when in self.reserved], self.account_calls_max, at)
            at = self._next_free(own, self.store_calls_max, at)
        self.reserved.append((account, at))
        return (at - now).total_seconds()

    def _next_free(self, moments: list[datetime], calls_max: int, at: datetime) -> datetime:
        moments.sort()
        for first, last in zip(moments, moments[calls_max - 1 :], strict=False):
            if max(last, at) - min(first, at) < self.window:
                return first + self.window
        return at


STATE_WORDS: Final = {state.name.lower(): state for state in MessageState}


@attrs.frozen
class PlainReportReader:
    """Reads reports written by `plain_reports`: the core's own names and words, in JSON."""

    def read(self, raw: bytes, arrived_at: datetime) -> Sequence[DeliveryReport]:
        """One report per element; never raises on any bytes."""
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return ()
        elements = body if isinstance(body, list) else [body]
        return tuple(_plain_report(element, arrived_at) for element in elements)


def plain_reports(reports: Sequence[DeliveryReport]) -> bytes:
    """Reports as `PlainReportReader` reads them."""
    return json.dumps([attrs.asdict(report) for report in reports], default=_written).encode()


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _plain_report(element: object, arrived_at: datetime) -> DeliveryReport:
    fields: Mapping[str, object] = element if isinstance(element, dict) else {}
    provider_id, phone, at, error = (
        value if isinstance(value := fields.get(name), str) else None
        for name in ("provider_id", "phone", "at", "error")
    )
    reference, word = fields.get("reference"), fields.get("word")
    word = word if isinstance(word, str) else ""
    try:
        moment = datetime.fromisoformat(at) if at else arrived_at
    except ValueError:
        moment = arrived_at
    return DeliveryReport(
        provider_id=ProviderId(provider_id) if provider_id else None,
        reference=MessageNumber(reference) if isinstance(reference, int) else None,
        phone=PhoneNumber(phone) if phone else None,
        state=STATE_WORDS.get(word.lower()),
        word=word,
        at=moment,
        error=error,
    )
