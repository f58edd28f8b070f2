"""Our own paths beside the gateway's: look at what was taken, change the scenario, inject texts.

GET /_control/messages?after=N&limit=N · GET /_control/counts · GET, PUT /_control/scenario ·
POST, DELETE /_control/faults · POST /_control/inbound `{from, to, text}` ·
POST /_control/reports (any JSON, handed to the reports' callback as it is)
"""

from http import HTTPStatus
from typing import Final, Protocol

import attrs
import orjson

from adapters_sms.simulator.api import MittoApi
from adapters_sms.simulator.faults import FaultPicker
from adapters_sms.simulator.log import MessageLog
from adapters_sms.simulator.reporter import Reporter
from adapters_sms.simulator.scenario import Fault, Scenario, fault_of
from adapters_sms.simulator.wire import Head, Response, json_response

PREFIX: Final = "/_control/"
MESSAGES_MAX: Final = 10_000
MESSAGES_DEFAULT: Final = 1_000


class Controlled(Protocol):
    """What of the simulator can be seen and changed from outside."""

    log: MessageLog
    api: MittoApi
    faults: FaultPicker
    reporter: Reporter
    calls: int

    def play(self, scenario: Scenario) -> None:
        """Begin another scenario."""
        ...

    def add_fault(self, fault: Fault) -> None:
        """Add a fault to the scenario."""
        ...


async def answer(simulator: Controlled, head: Head, body: bytes) -> Response:
    """Answer a control call: 400 for a bad body, 404 for an unknown path."""
    try:
        return await _dispatch(simulator, f"{head.method} {head.path[len(PREFIX) :]}", head, body)
    except (ValueError, TypeError) as error:
        return json_response(HTTPStatus.BAD_REQUEST, {"error": str(error)})


async def _dispatch(simulator: Controlled, call: str, head: Head, body: bytes) -> Response:
    value: object = {}
    match call:
        case "GET messages":
            value = _messages(simulator, head)
        case "GET counts":
            value = counts(simulator)
        case "GET scenario":
            value = attrs.asdict(simulator.faults.scenario)
        case "PUT scenario":
            simulator.play(Scenario.of(orjson.loads(body)))
        case "POST faults":
            simulator.add_fault(fault_of(orjson.loads(body)))
        case "DELETE faults":
            simulator.faults.clear()
        case "POST inbound":
            fields = orjson.loads(body)
            if not isinstance(fields, dict):
                raise ValueError("an inbound message is an object")  # noqa: TRY004 - data
            value = {"httpStatus": await simulator.reporter.send_inbound(fields)}
        case "POST reports":
            value = {"httpStatus": await simulator.reporter.send_raw(orjson.loads(body))}
        case _:
            return json_response(HTTPStatus.NOT_FOUND, {"error": "No such control"})
    return json_response(HTTPStatus.OK, value)


def counts(simulator: Controlled) -> dict[str, object]:
    """Figures: sending calls, messages taken, reports sent and still waiting, faults met."""
    return {
        "calls": simulator.calls,
        "accepted": len(simulator.log),
        "reportsSent": simulator.reporter.sent,
        "reportsWaiting": simulator.reporter.waiting,
        "faults": dict(simulator.faults.hits),
    }


def _messages(simulator: Controlled, head: Head) -> dict[str, object]:
    after = int(head.query.get("after", "0"))
    limit = min(int(head.query.get("limit", str(MESSAGES_DEFAULT))), MESSAGES_MAX)
    numbers = range(max(after, 0), min(max(after, 0) + limit, len(simulator.log)))
    return {
        "total": len(simulator.log),
        "messages": [simulator.api.shown(number) for number in numbers],
    }
