"""Once, however often: the header becomes a value for the use case, the reply is kept after it."""

import hashlib

import attrs
from loguru import logger

from adapters_http.web.context import Request, Response
from adapters_http.web.replies import dumps
from retail_core.kernel.errors import DomainError
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ports import IdempotencyReplies


def once(req: Request, *content: bytes) -> Once | None:
    """What to hand to `transactions.begin`: the key with a hash of all the request said, if given.

    An upload names what it says by `content`: a digest of each part, since the bytes between the
    parts differ from one sending to the next.
    """
    if req.context.repeatable is None:
        return None
    digest = hashlib.blake2b(digest_size=32)
    for piece in (
        req.method.encode(),
        "/".join(req.context.segments).encode(),
        (req.query_string or "").encode(),
        *(content or (req.context.raw_body,)),
    ):
        digest.update(len(piece).to_bytes(8) + piece)
    found = Once(req.context.repeatable.account, req.context.repeatable.key, digest.digest())
    req.context.once = found
    return found


def keep_instead(req: Request, media: object) -> None:
    """Keep this for a repeat instead of the body that is sent: that one is for a single reader."""
    req.context.kept_body = dumps(media)


@attrs.frozen
class KeepReplies:
    """Middleware: stores the reply of a request that named a key, after its effect is committed."""

    replies: IdempotencyReplies

    def process_response(
        self, req: Request, resp: Response, _resource: object, _ok: object
    ) -> None:
        """Store 2xx replies only: after an error the request may be repeated."""
        once = req.context.once
        if once is None or req.context.replayed or not 200 <= resp.status_code < 300:  # noqa: PLR2004 - 2xx
            return
        body = req.context.kept_body or resp.render_body() or b""
        try:
            self.replies.save(once, StoredReply(resp.status_code, body))
        except DomainError as error:
            # what was done is done; a repeat builds its reply from the effect's id
            logger.warning("the reply of an idempotency key was not kept: {}", error.message)
