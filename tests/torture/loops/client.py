"""Requests to the API as owners' programs and people's browsers make them, again until answered."""

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
import httpx

TIMEOUT_SECONDS: Final = 4.0
PATIENCE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.1
LATER: Final = frozenset({"SERVICE_UNAVAILABLE", "IDEMPOTENCY_IN_PROGRESS"})


class Unanswered(Exception):
    """Nobody answered for long: whether it was done is not known, and does not count as done."""


@attrs.frozen
class Reply:
    """A status and a body in JSON, if it is JSON."""

    status: int
    body: Any = None

    @property
    def is_done(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@attrs.frozen
class Client:
    """One thread's client of the API."""

    http: httpx.Client
    faults: list[str] = attrs.field(factory=list)
    """Requests that were answered as no request may be."""

    @classmethod
    def of(cls, base_url: str) -> "Client":
        return cls(httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS, trust_env=False))

    def close(self) -> None:
        self.http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        patience_seconds: float = PATIENCE_SECONDS,
        **content: Any,
    ) -> Reply:
        """The first answer that is one. Raises `Unanswered`.

        The same key is sent each time, so that what was done without an answer is not done twice.
        """
        deadline = time.monotonic() + patience_seconds
        sent = {"Idempotency-Key": str(uuid.uuid4()), **headers}
        while time.monotonic() < deadline:
            reply = self._try(method, path, sent, content)
            if reply is not None:
                return reply
            time.sleep(PAUSE_SECONDS)
        raise Unanswered(f"{method} {path}")

    def _try(
        self, method: str, path: str, headers: Mapping[str, str], content: Mapping[str, Any]
    ) -> Reply | None:
        try:
            answer = self.http.request(method, path, headers=dict(headers), **content)
        except httpx.HTTPError:
            return None
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        body = answer.json() if is_json else None
        if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{method} {path.partition('?')[0]}: {body}")
            return None
        is_later = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE or (
            isinstance(body, dict) and body.get("code") in LATER
        )
        return None if is_later else Reply(answer.status_code, body)
