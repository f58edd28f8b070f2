"""What the SMS gateway tells us (docs/api.md, 4.1): verify, record, commit, answer."""

import hashlib
import hmac
from typing import Final

import attrs
import orjson

from adapters_http.web import bodies, codec
from adapters_http.web.context import Request, Response
from adapters_http.web.refusals import MalformedBody, UnsupportedMediaType
from adapters_http.web.routing import Access, Proof, Reading, Route
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.secrets import SecretText
from retail_core.messages.use_cases import RecordReports

SECRET: Final = "secret"  # noqa: S105 - the name of a parameter


@attrs.frozen
class RecordedReply:
    """The report is stored; a job applies it, so nothing has changed yet."""

    ok: bool = True
    updated: int = 0


@attrs.frozen
class DeliveryReport:
    """What the gateway may say about a message; each value has several names.

    `messageId`, `id` or `MessageId`; `deliveryStatus`, `status`, `Status` or `delivery_status`;
    `updatedAt`, `doneAt`, `timestamp`, `Timestamp` or `createdAt`; `reference` or `Reference`;
    `destination`, `to`, `msisdn` or `receiver`; `error`, `Error`, `description` or `errorMessage`.
    """

    message_id: object = None
    delivery_status: object = None
    updated_at: object = None
    reference: object = None
    destination: object = attrs.field(default=None, repr=False)
    error: object = None


@attrs.frozen
class GatewayDoor:
    """Lets in whoever proves to know the secret, in one of three forms, compared in constant time.

    An empty secret lets nobody in.
    """

    secret: SecretText

    def check(self, req: Request) -> None:
        """Raise Unauthenticated, marked `ok: false` as the gateway expects it."""
        let_in = self.lets_in(
            query=req.context.query.get(SECRET, ""),
            token=req.get_header("X-Webhook-Token") or "",
            signature=req.get_header("X-Webhook-Signature") or "",
            raw=req.context.raw_body,
        )
        if not let_in:
            raise Unauthenticated("The webhook's secret is missing or wrong.", extra={"ok": False})

    def told(self, req: Request) -> bytes | None:
        """What it is told as JSON, by a body or by a query; None by a HEAD, which has no effect.

        Raises Unauthenticated first, and for a body MalformedBody and UnsupportedMediaType.
        """
        self.check(req)
        if req.method == "HEAD":
            return None
        return told_by_query(req) if req.method == "GET" else json_of(req)

    def lets_in(self, *, query: str, token: str, signature: str, raw: bytes) -> bool:
        """Whether any of the three proofs is good; all are looked at, whichever it is."""
        expected = hmac.new(self.secret.reveal_bytes(), raw, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        proofs = (self.secret.matches(query), self.secret.matches(token), signed)
        return bool(self.secret) and any(proofs)


@attrs.frozen
class DeliveryReports:
    """`/webhooks/mitto/dlr`."""

    door: GatewayDoor
    record: RecordReports

    def on_post(self, req: Request, resp: Response) -> None:
        """Record what the body or the query says."""
        raw = self.door.told(req)
        if raw is not None:
            self.record(raw)
            resp.media = codec.shape(RecordedReply())

    on_get = on_post


def told_by_query(req: Request) -> bytes:
    """What the query says, without the secret, as the JSON of an object."""
    return orjson.dumps({name: text for name, text in req.context.query.items() if name != SECRET})


def json_of(req: Request) -> bytes:
    """What is told as JSON bytes: an object or an array, otherwise as it came.

    What it says is read leniently, by a job; here it must only be JSON.
    """
    raw, kind = req.context.raw_body, bodies.media_type(req)
    if kind == bodies.FORM:
        return orjson.dumps(bodies.form(raw))
    if kind not in {"", bodies.JSON}:
        raise UnsupportedMediaType("Send application/json.")
    try:
        told = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        raise MalformedBody("The body is not valid JSON.") from None
    if not isinstance(told, dict | list):
        raise MalformedBody("The body is neither an object nor an array.")
    return raw or b"{}"


PROOFS: Final = (Proof.GATEWAY_SECRET, Proof.GATEWAY_TOKEN, Proof.GATEWAY_SIGNATURE)

ROUTES: Final = tuple(
    Route(
        method=method,
        path="/webhooks/mitto/dlr",
        resource=DeliveryReports,
        access=Access.WEBHOOK,
        summary="Record delivery reports of the SMS gateway",
        body=DeliveryReport | tuple[object, ...] if method == "POST" else None,
        query=DeliveryReport if method == "GET" else None,
        reply=RecordedReply,
        status=202,
        reading=Reading.RAW,
        errors=(Unauthenticated,),
        proofs=PROOFS,
        example={"messageId": "a1b2", "deliveryStatus": "delivered"},
    )
    for method in ("POST", "GET")
)
