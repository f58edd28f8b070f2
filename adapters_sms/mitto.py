"""The gateway over HTTP: Mitto's Messages API, version 1.1 (domain-rules, 16)."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import attrs
import httpx
import orjson

from adapters_sms import vocabulary
from adapters_sms.answers import Answer, outcome_of
from adapters_sms.settings import SmsSettings
from retail_core.kernel.ids import ProviderId
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    Doubtful,
    GatewayMessage,
    NotSent,
    OutgoingMessage,
    SubmissionOutcome,
)

MESSAGES_PATH: Final = "/api/v1.1/Messages"
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
CONNECTIONS_MAX: Final = 8
KEEPALIVE_SECONDS: Final = 4.0
"""Below any server's own idle limit: a call must not meet a connection that is being closed."""

_NOTHING_BEGUN: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Interrupted(Exception):
    """The call ended without an answer; `surely_unsent` if not one byte of it was written."""

    def __init__(self, reason: str, *, surely_unsent: bool) -> None:
        self.reason = reason
        self.surely_unsent = surely_unsent
        super().__init__(reason)


@attrs.define
class _WriteWatch:
    """Follows one call in httpx's trace and remembers whether writing it ever began.

    The kind of an exception alone is no proof: on a kept connection a broken pipe and a reset
    look alike before and after the server has read the request.
    """

    begun: bool = False

    def __call__(self, event: str, _info: Mapping[str, object]) -> None:
        if ".send_request" in event:
            self.begun = True


def mitto_client(settings: SmsSettings) -> httpx.Client:
    """The one client of a process; opens no connection yet, so it may be made before a fork.

    Whatever the phase, the answer's head is there or given up within twice the time-out, and its
    body within one more, which leases rely on. Proxies and certificates named in the environment
    are ignored: they would reroute the key.
    """
    whole = settings.timeout_seconds
    return httpx.Client(
        base_url=settings.api_base,
        headers={
            "X-Mitto-API-Key": settings.api_key.reveal(),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "retail-backend",
        },
        timeout=httpx.Timeout(connect=whole / 6, pool=whole / 6, write=whole / 2, read=whole),
        limits=httpx.Limits(
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEPALIVE_SECONDS,
        ),
        follow_redirects=False,
        trust_env=False,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


@attrs.frozen
class MittoGateway:
    """Hands messages to Mitto and says honestly what is known of the outcome."""

    settings: SmsSettings
    client: httpx.Client
    now: Callable[[], datetime] = _utc_now

    @classmethod
    def of(cls, settings: SmsSettings) -> "MittoGateway":
        """A gateway with a client of its own; `close` it in the end."""
        return cls(settings, mitto_client(settings))

    def close(self) -> None:
        """Close the kept connections."""
        self.client.close()

    def submit(self, messages: Sequence[OutgoingMessage]) -> SubmissionOutcome:
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
            answer = self._call("POST", f"{MESSAGES_PATH}/{path}", body)
        except Interrupted as interruption:
            kind = NotSent if interruption.surely_unsent else Doubtful
            return kind(interruption.reason)
        return outcome_of(answer, len(messages), self.now())

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        """What became of a message; None if the gateway does not know it.

        Raises `GatewayUnavailable` for any answer that cannot be believed, as for none.
        """
        if not provider_id.strip("."):  # such a segment would be resolved away into another path
            return None
        try:
            answer = self._call("GET", f"{MESSAGES_PATH}/{quote(provider_id, safe='')}", None)
        except Interrupted as interruption:
            raise GatewayUnavailable(interruption.reason) from None
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise GatewayUnavailable(f"http_{answer.status}")
        return _gateway_message(provider_id, answer.body, self.now())

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

    def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        """Make one HTTP call. Raises Interrupted if it ends without status and headers."""
        watch = _WriteWatch()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            with self.client.stream(
                method, path, content=body, headers=headers, extensions={"trace": watch}
            ) as response:
                return Answer(response.status_code, response.headers, self._body(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            unsent = isinstance(fault, _NOTHING_BEGUN) and not watch.begun
            raise Interrupted(type(fault).__name__, surely_unsent=unsent) from None

    def _body(self, response: httpx.Response) -> bytes | None:
        """The whole body, or None: the status was received all the same, and counts."""
        deadline = time.monotonic() + self.settings.timeout_seconds
        body = bytearray()
        try:
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES_MAX or time.monotonic() > deadline:
                    return None
        except (httpx.HTTPError, httpx.StreamError, OSError):
            return None
        return bytes(body)


def _gateway_message(provider_id: ProviderId, body: bytes | None, now: datetime) -> GatewayMessage:
    """Read a status look-up. Raises `GatewayUnavailable` unless it is about this very message."""
    try:
        fields = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        raise GatewayUnavailable("answer_unreadable") from None
    if not isinstance(fields, dict) or vocabulary.provider_id_of(fields) not in (
        None,
        provider_id,
    ):
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
