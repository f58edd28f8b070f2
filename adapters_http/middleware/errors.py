"""Errors at the edge: families become statuses here and nowhere else.

A resource never catches an error. Whatever it raises ends here and leaves as the four keys that
every error body has, so a new leaf in any room needs no line in this file.
"""

from collections.abc import Mapping
from typing import Any, Final

import falcon
from loguru import logger

from adapters_http.pages import refusals
from adapters_http.security import cookies
from adapters_http.web import replies
from adapters_http.web.context import Request, Response
from adapters_http.web.refusals import (
    MalformedBody,
    MethodNotAllowed,
    PayloadTooLarge,
    RateLimited,
    UnknownPath,
    UnsupportedMediaType,
)
from retail_core.accounts.errors import SessionReused
from retail_core.campaigns.errors import PlannedTooMany
from retail_core.engagement.errors import TooManyConfirmations
from retail_core.kernel import errors as families
from retail_core.kernel.errors import DomainError
from retail_core.kernel.idempotency import AlreadyDone

STATUS: Final[Mapping[type[DomainError], int]] = {
    families.RuleViolation: 400,
    families.Unauthenticated: 401,
    families.PaymentRequired: 402,
    families.Forbidden: 403,
    families.NotFound: 404,
    MethodNotAllowed: 405,
    families.Conflict: 409,
    PayloadTooLarge: 413,
    UnsupportedMediaType: 415,
    families.LimitExceeded: 429,
    families.Unavailable: 503,
}
INTERNAL: Final = 500
RETRY_AFTER_SECONDS: Final = "1"


def add_handlers(app: "falcon.App[Request, Response]") -> None:
    """Teach the app what becomes of every exception."""
    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(falcon.HTTPError, _of_falcon)
    app.add_error_handler(DomainError, _domain)
    app.add_error_handler(families.Unavailable, _unavailable)
    app.add_error_handler(SessionReused, _reused)
    app.add_error_handler(AlreadyDone, _already_done)


def status_of(error: DomainError) -> int:
    """The status of the nearest family; 500 for an error that belongs to none."""
    return status_of_kind(type(error))


def status_of_kind(kind: type[DomainError]) -> int:
    """The same for a class of errors."""
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), INTERNAL)


def _domain(req: Request, resp: Response, error: DomainError, params: object) -> None:
    if status_of(error) == INTERNAL:  # a leaf without a family is a mistake of ours
        _unexpected(req, resp, error, params)
    else:
        _send(req, resp, error)


def _send(req: Request, resp: Response, error: DomainError) -> None:
    """As JSON, or as a page where a person's browser waits for one."""
    status = status_of(error)
    resp.text = resp.media = resp.stream = resp.data = None
    _add_headers(resp, error)
    if refusals.is_for_a_person(req):
        refusals.show_refusal(req, resp, status, _wait_seconds(error))
        return
    fields = [{"path": fault.path, "message": fault.message} for fault in error.fields]
    body = {
        "message": error.message,
        "code": error.code,
        "status": status,
        "requestId": req.context.request_id,
        **({"fields": fields} if fields else {}),
        **error.extra,
    }
    resp.status = status
    resp.content_type = replies.JSON
    resp.data = replies.dumps(body)


def _wait_seconds(error: DomainError) -> int | None:
    """After how long it is worth another try, where that is known."""
    if isinstance(error, RateLimited | TooManyConfirmations):
        return error.retry_after_seconds
    return None


def _add_headers(resp: Response, error: DomainError) -> None:
    match error:
        case MethodNotAllowed():
            resp.set_header("Allow", error.allow)
        case families.IdempotencyInProgress():
            resp.set_header("Retry-After", RETRY_AFTER_SECONDS)
        case RateLimited() | TooManyConfirmations() | PlannedTooMany():
            resp.set_header("Retry-After", str(error.retry_after_seconds))
        case families.Unauthenticated():
            resp.set_header("WWW-Authenticate", "Bearer")
        case _:
            pass


def _unavailable(req: Request, resp: Response, error: families.Unavailable, _: object) -> None:
    """What is down, and how, is for the log alone."""
    logger.warning("unavailable: {}", error.message)
    _send(req, resp, type(error)(extra=error.extra))


def _reused(req: Request, resp: Response, error: SessionReused, params: object) -> None:
    cookies.clear_refresh_token(resp)
    _domain(req, resp, error, params)


def _already_done(
    req: Request, resp: Response, done: AlreadyDone, params: Mapping[str, Any]
) -> None:
    """Send the reply of the first request again, or let the resource build it anew."""
    resp.set_header("Idempotency-Replayed", "true")
    if done.reply is not None:
        req.context.replayed = True
        resp.status = done.reply.status
        resp.content_type = replies.JSON
        resp.data = done.reply.body
        return
    resource: Any = req.context.resource
    try:
        resource.on_repeat(req, resp, done.effect, **params)
    except families.Unavailable as error:
        _unavailable(req, resp, error, params)
    except DomainError as error:  # the effect may be gone by now
        _domain(req, resp, error, params)


def _of_falcon(req: Request, resp: Response, error: falcon.HTTPError, params: object) -> None:
    """Falcon's own refusals: it knows the status, we know the words."""
    ours: DomainError
    match error.status_code:
        case 404:
            ours = UnknownPath()
        case 413:
            ours = PayloadTooLarge(0)
        case 415:
            ours = UnsupportedMediaType()
        case status if status < INTERNAL:
            ours = MalformedBody(error.title or "")
        case _:
            _unexpected(req, resp, error, params)
            return
    _domain(req, resp, ours, params)


def _unexpected(req: Request, resp: Response, error: Exception, _params: object) -> None:
    """Log everything, tell nothing but the request id."""
    logger.opt(exception=error).error("unexpected error")
    _send(req, resp, DomainError("Something went wrong."))
