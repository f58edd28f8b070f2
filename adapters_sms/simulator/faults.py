"""Picks the fault that a call meets, and shapes the answer accordingly."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import attrs
import orjson

from adapters_sms.simulator.api import Problem, Submission
from adapters_sms.simulator.scenario import Fault, FaultName, Scenario
from adapters_sms.simulator.wire import Response, json_response

REJECTED_BY_SCENARIO: Problem = (8, "Invalid receiver")

NOTHING_TAKEN = frozenset({FaultName.CLOSE, FaultName.HANG, FaultName.STATUS})


@attrs.define
class _Loaded:
    fault: Fault
    calls_left: int | None


class FaultPicker:
    """Draws faults and latencies from the scenario's seed."""

    def __init__(self, scenario: Scenario) -> None:
        self.hits: Counter[str] = Counter()
        self.scenario = scenario
        self.load(scenario)

    def load(self, scenario: Scenario) -> None:
        """Begin a scenario anew."""
        self.scenario = scenario
        self._random = random.Random(scenario.seed)  # noqa: S311 - reproducible, not secret
        self._loaded = [_Loaded(fault, fault.calls_max) for fault in scenario.faults]

    def add(self, fault: Fault) -> None:
        """Put a fault before the others."""
        self._loaded.insert(0, _Loaded(fault, fault.calls_max))

    def clear(self) -> None:
        """Forget all faults."""
        self._loaded.clear()

    def pick(self) -> Fault | None:
        """The fault of this call, if any: the first one that the dice choose."""
        for loaded in self._loaded:
            fault = loaded.fault
            if fault.name is FaultName.OUTAGE or loaded.calls_left == 0:
                continue
            if fault.rate >= 1 or self._random.random() < fault.rate:
                if loaded.calls_left is not None:
                    loaded.calls_left -= 1
                self.hits[fault.name.value] += 1
                return fault
        return None

    def latency_seconds(self) -> float:
        """How long this call takes."""
        choices = self.scenario.latency_ms
        return self._random.choice(choices) / 1000 if choices else 0.0

    def with_rejections(self, submission: Submission, share: float) -> Submission:
        """The same call with a share of its messages refused one by one."""
        problems = dict(submission.problems)
        for index in range(len(submission.messages)):
            if index not in problems and self._random.random() < share:
                problems[index] = REJECTED_BY_SCENARIO
        return attrs.evolve(submission, problems=problems)


def refused(fault: Fault) -> Response:
    """The answer of a status fault."""
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    if 300 <= fault.status < 400:  # noqa: PLR2004 - a redirection needs a target
        headers["Location"] = "/elsewhere"
    return json_response(fault.status, {"error": f"Simulated {fault.status}"}, headers)


def spoiled(fault: Fault, answer: Mapping[str, object]) -> Response | None:
    """The answer to a call that was taken, as this fault leaves it; None: no answer at all."""
    match fault.name:
        case FaultName.ACCEPT_CLOSE | FaultName.ACCEPT_HANG:
            response = None
        case FaultName.ACCEPT_STATUS:
            response = refused(fault)
        case FaultName.UNREADABLE:
            html = {"Content-Type": "text/html"}
            response = Response(200, b"<html>Bad gateway</html>", html)
        case FaultName.TRUNCATED:
            body = orjson.dumps(answer)
            response = Response(200, body, sent_bytes_max=len(body) // 2)
        case _:
            entries = _other_entries(fault.name, answer["messages"])
            response = json_response(200, {**answer, "messages": entries})
    return response


def _other_entries(name: FaultName, entries: object) -> Sequence[object]:
    """The entries of an answer with the wrong number of them, or wrong ids."""
    if not isinstance(entries, list):
        raise TypeError("an answer lists messages")
    match name:
        case FaultName.MISSING_ENTRY:
            return entries[:-1]
        case FaultName.EXTRA_ENTRY:
            return [*entries, {"messageId": "extra"}]
        case FaultName.REPEATED_IDS:
            return [entries[0]] * len(entries)
        case _:
            return entries
