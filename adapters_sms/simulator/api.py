"""Mitto's Messages API as the simulator understands it: checks, takes, answers in order."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote
from uuid import uuid4

import attrs
import orjson

from adapters_sms.simulator.log import MessageLog
from adapters_sms.simulator.scenario import Scenario
from adapters_sms.simulator.wire import Head, Response, json_response

MESSAGES_PATH: Final = "/api/v1.1/Messages/"
SENDING: Final = frozenset({"send", "sendmessagesbulk", "sendbulk"})
TEXT_CHARACTERS_MAX: Final = 20 * 153

EMPTY_TEXT: Final = (3, "Empty message")
NO_SENDER: Final = (5, "Empty sender")
BAD_SENDER: Final = (6, "Invalid sender")
NO_RECEIVER: Final = (7, "Empty receiver")
BAD_RECEIVER: Final = (8, "Invalid receiver")
BAD_ACCOUNT: Final = (9, "Unknown traffic account")

Problem = tuple[int, str]
Message = Mapping[str, object]

_DESTINATION: Final = re.compile(r"\+?[1-9][0-9]{6,14}")
_SENDER: Final = re.compile(r"[A-Za-z0-9]{3,11}|[0-9]{3,14}")


@attrs.frozen
class Submission:
    """A sending call that was understood: its messages, each with what is wrong with it."""

    messages: Sequence[Message]
    problems: Mapping[int, Problem]
    bulk_id: str | None


@attrs.frozen
class MittoApi:
    """Understands calls and builds answers; what is taken in between is the log's business."""

    log: MessageLog
    api_key: str | None = attrs.field(repr=False)
    traffic_account_id: str | None

    def is_sending(self, head: Head) -> bool:
        """Whether this call hands messages over."""
        return (
            head.method == "POST"
            and head.path.startswith(MESSAGES_PATH)
            and head.path[len(MESSAGES_PATH) :] in SENDING
        )

    def refusal(self, head: Head) -> Response | None:
        """The answer to a call without the right key; None if it may come in."""
        key = head.headers.get("x-mitto-api-key")
        if key is None or (self.api_key is not None and key != self.api_key):
            return json_response(HTTPStatus.UNAUTHORIZED, {"error": "Invalid API key"})
        return None

    def understand(self, head: Head, body: bytes, scenario: Scenario) -> Submission | Response:
        """Read and check a sending call; a Response is its refusal."""
        try:
            fields = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _bad("The body is not JSON")
        if not isinstance(fields, dict):
            return _bad("The body is not an object")
        kind = head.path[len(MESSAGES_PATH) :]
        entries = _entries(kind, fields)
        if entries is None:
            return _bad("No messages")
        if len(entries) > scenario.bulk_messages_max:
            return json_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "Too many"})
        bulk_id = None if kind == "send" else str(uuid4())
        submission = self._checked(entries, bulk_id)
        if submission.problems and not scenario.rejects_single_messages:
            return json_response(
                HTTPStatus.BAD_REQUEST,
                {
                    "error": "Invalid messages",
                    "errors": [
                        {"index": index, "errorCode": code, "error": text}
                        for index, (code, text) in list(submission.problems.items())[:100]
                    ],
                },
            )
        return submission

    def answer(self, submission: Submission, numbers: Sequence[int]) -> dict[str, object]:
        """The answer to a call whose messages without problems were taken under these numbers."""
        ids = iter(numbers)
        id_of = self.log.id_of
        problems = submission.problems
        entries: list[dict[str, object]] = []
        for index, message in enumerate(submission.messages):
            account = message.get("trafficAccountId")
            if index in problems:
                code, text = problems[index]
                entries.append({"trafficAccountId": account, "errorCode": code, "error": text})
            else:
                entries.append({"messageId": id_of(next(ids)), "trafficAccountId": account})
        answer: dict[str, object] = {"messages": entries}
        if submission.bulk_id is not None:
            answer["bulkId"] = submission.bulk_id
        return answer

    def look_up(self, head: Head) -> Response:
        """GET Messages/{id}."""
        message_id = unquote(head.path[len(MESSAGES_PATH) :])
        number = self.log.number_of(message_id)
        if number is None:
            return json_response(HTTPStatus.NOT_FOUND, {"error": "Message not found"})
        return json_response(HTTPStatus.OK, self.shown(number))

    def shown(self, number: int) -> dict[str, object]:
        """A message as the gateway shows it."""
        message = self.log.message(number)
        return {
            "messageId": message["messageId"],
            "text": message["text"],
            "sender": message["sender"],
            "conversation": None,
            "createdAt": message["at"],
            "updatedAt": message["at"],
            "trafficAccountId": message["trafficAccountId"],
            "deliveryStatus": self.log.word(number),
            "description": None,
            "messageParts": None,
            "requestInfo": {"bulkId": message.get("bulkId")},
            "reference": message.get("reference"),
            "destination": message["destination"],
        }

    def _checked(self, entries: Sequence[object], bulk_id: str | None) -> Submission:
        problems: dict[int, Problem] = {}
        messages: list[Message] = []
        senders: set[object] = set()
        account = self.traffic_account_id
        for index, entry in enumerate(entries):
            message = _flat(entry, bulk_id)
            problem = _problem(message, senders, account)
            if problem is not None:
                problems[index] = problem
            messages.append(message)
        return Submission(messages, problems, bulk_id)


def _entries(kind: str, fields: dict[str, object]) -> Sequence[object] | None:
    """The messages of a call in the form of the bulk call; None if it has none."""
    if kind == "send":
        return [fields]
    if kind == "sendmessagesbulk":
        messages = fields.get("messages")
        return messages if isinstance(messages, list) and messages else None
    destinations = fields.get("destinations")
    if not isinstance(destinations, list) or not destinations:
        return None
    return [{**fields, "destination": destination} for destination in destinations]


def _flat(entry: object, bulk_id: str | None) -> dict[str, object]:
    fields = entry if isinstance(entry, dict) else {}
    sms = fields.get("sms")
    sms = sms if isinstance(sms, dict) else {}
    message = {
        "destination": fields.get("destination"),
        "sender": sms.get("sender"),
        "text": sms.get("text"),
        "trafficAccountId": fields.get("trafficAccountId"),
    }
    reference = fields.get("reference")
    if reference is not None:
        message["reference"] = str(reference)
    if bulk_id is not None:
        message["bulkId"] = bulk_id
    return message


def _problem(message: Message, senders: set[object], account: str | None) -> Problem | None:
    """What is wrong with a message; `senders` remembers those of this call that are right."""
    text, destination, given = message["text"], message["destination"], message["trafficAccountId"]
    if not isinstance(given, str) or not given or account not in (None, given):
        return BAD_ACCOUNT
    if not isinstance(destination, str) or not destination:
        return NO_RECEIVER
    if not _DESTINATION.fullmatch(destination):
        return BAD_RECEIVER
    if not isinstance(text, str) or not text or len(text) > TEXT_CHARACTERS_MAX:
        return EMPTY_TEXT
    return _sender_problem(message["sender"], senders)


def _sender_problem(sender: object, senders: set[object]) -> Problem | None:
    if not isinstance(sender, str) or not sender:
        return NO_SENDER
    if sender not in senders:
        if not _SENDER.fullmatch(sender):
            return BAD_SENDER
        senders.add(sender)
    return None


def _bad(text: str) -> Response:
    return json_response(HTTPStatus.BAD_REQUEST, {"error": text})
