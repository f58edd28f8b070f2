"""The gateway over HTTP: Mitto's Messages API, version 1.1 (docs/rules.md, 16)."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import attrs
import httpcore
import httpx
import orjson

from adapters_sms import vocabulary
from adapters_sms.answers import Answer, is_page, outcome_of
from adapters_sms.settings import SmsSettings
from adapters_sms.sockets import CallBackend, CallLimits, TooLateToWrite, limited
from retail_core.kernel.ids import ProviderId
from retail_core.kernel.time.clock import Clock, Deadline
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    Doubtful,
    GatewayMessage,
    NotSent,
    OutgoingMessage,
    SubmissionOutcome,
    TooLate,
)

MESSAGES_PATH: Final = "/api/v1.1/Messages"
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
CONNECTIONS_MAX: Final = 8
KEEPALIVE_SECONDS: Final = 4.0
"""Below any server's own idle limit: a call must not meet a connection that is being closed."""

POOL_SHARE: Final = 1 / 6
"""Of the whole call, waiting for one of our own connections."""

_FAULTS: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    OSError,
    ValueError,
)


class Interrupted(Exception):
    """The call ended without an answer.

    `surely_unsent` if not one byte of it was written, `too_late` if its deadline was over.
    """

    def __init__(self, reason: str, *, surely_unsent: bool, too_late: bool = False) -> None:
        self.reason = reason
        self.surely_unsent = surely_unsent
        self.too_late = too_late
        super().__init__(reason)

    def outcome(self) -> SubmissionOutcome:
        """What it means for the messages of the call."""
        if not self.surely_unsent:
            return Doubtful(self.reason)
        return TooLate(self.reason) if self.too_late else NotSent(self.reason)


def connections() -> httpcore.ConnectionPool:
    """The connections of a process; opens none yet, so it may be made before a fork.

    Proxies and certificates named in the environment are ignored: they would reroute the key.
    """
    return httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(trust_env=False),
        max_connections=CONNECTIONS_MAX,
        max_keepalive_connections=CONNECTIONS_MAX,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=CallBackend(),
    )


@attrs.frozen
class MittoGateway:
    """Hands messages to Mitto and says honestly what is known of the outcome.

    Whatever the phase, a call ends within its time-out, which leases rely on. No redirect is
    followed.
    """

    settings: SmsSettings
    clock: Clock
    pool: httpcore.ConnectionPool = attrs.field(factory=connections, repr=False)

    def close(self) -> None:
        """Close the kept connections."""
        self.pool.close()

    def submit(self, messages: Sequence[OutgoingMessage], deadline: Deadline) -> SubmissionOutcome:
        """One call: `send` for a single message, else `sendmessagesbulk`. Never tries again."""
        if not messages:
            return Accepted(())
        entries = [self._entry(message) for message in messages]
        path, body = (
            ("send", orjson.dumps(entries[0]))
            if len(entries) == 1
            else ("sendmessagesbulk", orjson.dumps({"messages": entries}))
        )
        try:
            answer = self._call("POST", path, body, deadline)
        except Interrupted as interruption:
            return interruption.outcome()
        return outcome_of(answer, len(messages), self.clock.now())

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        """What became of a message; None if the gateway does not know it.

        Raises `GatewayUnavailable` for any answer that cannot be believed, as for none.
        """
        if not provider_id.strip("."):  # such a segment would be resolved away into another path
            return None
        try:
            answer = self._call("GET", quote(provider_id, safe=""))
        except Interrupted as interruption:
            raise GatewayUnavailable(interruption.reason) from None
        if answer.status == HTTPStatus.NOT_FOUND and not is_page(answer):
            return None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise GatewayUnavailable(f"http_{answer.status}")
        return _gateway_message(provider_id, answer.body, self.clock.now())

    def _entry(self, message: OutgoingMessage) -> dict[str, object]:
        """The gateway's form: receivers keep their `+`, numeric senders lose it."""
        entry: dict[str, object] = {
            "trafficAccountId": self.settings.traffic_account_id,
            "destination": message.destination,
            "sms": {"text": message.text, "sender": message.sender.removeprefix("+")},
        }
        if self.settings.send_reference:
            entry["reference"] = str(message.number)
        return entry

    def _call(
        self, method: str, path: str, body: bytes | None = None, deadline: Deadline | None = None
    ) -> Answer:
        """Make one HTTP call. Raises Interrupted if it ends without status and headers."""
        call = CallLimits(self.settings.timeout_seconds, self.clock, deadline)
        try:
            with (
                limited(call),
                self.pool.stream(
                    method,
                    f"{self.settings.api_base}{MESSAGES_PATH}/{path}",
                    content=body,
                    headers=self._headers(body),
                    extensions={"timeout": {"pool": call.seconds * POOL_SHARE}},
                ) as response,
            ):
                call.is_answered = True
                return _answer(response)
        except TooLateToWrite:
            raise Interrupted("too_late", surely_unsent=not call.has_begun, too_late=True) from None
        except _FAULTS as fault:
            raise Interrupted(type(fault).__name__, surely_unsent=not call.has_begun) from None

    def _headers(self, body: bytes | None) -> list[tuple[bytes | str, bytes | str]]:
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("X-Mitto-API-Key", self.settings.api_key.reveal()),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "retail-backend"),
        ]
        return headers if body is None else [*headers, ("Content-Type", "application/json")]


def _answer(response: httpcore.Response) -> Answer:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }
    return Answer(response.status, headers, _body(response))


def _body(response: httpcore.Response) -> bytes | None:
    """The whole body, or None: the status was received all the same, and counts."""
    body = bytearray()
    try:
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                return None
    except _FAULTS:
        return None
    return bytes(body)


def _gateway_message(provider_id: ProviderId, body: bytes | None, now: datetime) -> GatewayMessage:
    """Read a status look-up. Raises `GatewayUnavailable` unless it is about this very message."""
    try:
        fields = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        raise GatewayUnavailable("answer_unreadable") from None
    if not isinstance(fields, dict) or vocabulary.provider_id_of(fields) != provider_id:
        raise GatewayUnavailable("answer_about_something_else")
    word = vocabulary.first_text(fields, vocabulary.STATUS_NAMES, vocabulary.WORD_CHARACTERS_MAX)
    state = vocabulary.state_of(word)
    parts = fields.get("messageParts")
    return GatewayMessage(
        provider_id=provider_id,
        state=state,
        word=word,
        at=vocabulary.time_of(fields, now),
        error=vocabulary.error_of(fields, state, word),
        parts=parts if isinstance(parts, int) and parts > 0 else 1,
        raw=fields,
    )
