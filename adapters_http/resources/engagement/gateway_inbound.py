"""Texts that people send back (docs/api.md, 4.1): verify, record, commit, answer."""

from typing import Final

import attrs
import orjson

from adapters_http.resources.messages.gateway_webhooks import PROOFS, GatewayDoor
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.refusals import MalformedBody
from adapters_http.web.routing import Access, Reading, Route
from retail_core.engagement.use_cases import RecordInboundTexts
from retail_core.kernel.errors import Unauthenticated

TEXTS_MAX: Final = 1_000
"""In one call; enough for any gateway, and few enough to be read and stored at once."""


@attrs.frozen
class TextReply:
    """The text is stored; a job does what it asks for."""

    ok: bool = True


@attrs.frozen
class InboundText:
    """What the gateway tells of a text; each value has several names.

    The sender is `from`, `msisdn` or `sender`, with `+`, with `00`, or as bare international
    digits; the text `text` or `message`; the number that got it `to`, `destination` or `receiver`.
    """

    from_: object = attrs.field(default=None, repr=False)
    text: object = attrs.field(default=None, repr=False)
    to: object = attrs.field(default=None, repr=False)
    message_id: object = None


@attrs.frozen
class InboundTexts:
    """`/webhooks/mitto/inbound`."""

    door: GatewayDoor
    record: RecordInboundTexts

    def on_post(self, req: Request, resp: Response) -> None:
        """Record what the body or the query says, one text or an array of them."""
        raw = self.door.told(req)
        if raw is None:
            return
        told = orjson.loads(raw)
        texts = [orjson.dumps(each) for each in told] if isinstance(told, list) else [raw]
        if len(texts) > TEXTS_MAX:
            raise MalformedBody(f"The body holds more than {TEXTS_MAX:,} texts.")
        self.record(texts)
        resp.media = codec.shape(TextReply())

    on_get = on_post


ROUTES: Final = tuple(
    Route(
        method=method,
        path="/webhooks/mitto/inbound",
        resource=InboundTexts,
        access=Access.WEBHOOK,
        summary="Record a text that somebody sent back, such as STOP",
        body=InboundText | tuple[object, ...] if method == "POST" else None,
        query=InboundText if method == "GET" else None,
        reply=TextReply,
        status=202,
        reading=Reading.RAW,
        errors=(Unauthenticated,),
        proofs=PROOFS,
        example={"from": "306984303406", "to": "+306984303400", "text": "STOP"},
    )
    for method in ("POST", "GET")
)
