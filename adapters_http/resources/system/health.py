"""Whether the service lives and can work (docs/api.md, 3.13)."""

from typing import Final

import attrs

from adapters_http.draining import Drain
from adapters_http.limits.shared import SharedStore
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.kernel.ports import Transactions, Work


class HealthCheckError(Unavailable):
    """The service cannot work now."""

    code = "HEALTH_CHECK_ERROR"


@attrs.frozen
class StatusReply:
    """One word."""

    status: str


@attrs.frozen
class Root:
    """`/`."""

    def on_get(self, _req: Request, resp: Response) -> None:
        """Say that this is the API."""
        resp.media = codec.shape(StatusReply("api-ok"))


@attrs.frozen
class Health:
    """`/healthz`."""

    def on_get(self, _req: Request, resp: Response) -> None:
        """Say that the process lives; touches nothing."""
        resp.media = codec.shape(StatusReply("ok"))


@attrs.frozen
class Readiness:
    """`/readiness`."""

    transactions: Transactions[Work]
    store: SharedStore
    drain: Drain

    def on_get(self, _req: Request, resp: Response) -> None:
        """Ask the database and the queue's server; which of them failed is not told.

        A server that is about to be ended is not ready, so that its proxy sends it no more.
        """
        if self.drain.is_asked_for():
            raise HealthCheckError
        try:
            with self.transactions.begin(SYSTEM_ACCOUNT) as uow:
                uow.jobs.waiting_count(SYSTEM_ACCOUNT)
            self.store.check()
        except Unavailable:
            raise HealthCheckError from None
        resp.media = codec.shape(StatusReply("ready"))


ROUTES: Final = (
    Route(
        method="GET",
        path="/",
        resource=Root,
        access=Access.PUBLIC,
        summary="Say that this is the API",
        reply=StatusReply,
    ),
    Route(
        method="GET",
        path="/healthz",
        resource=Health,
        access=Access.PUBLIC,
        summary="Say that the process lives",
        reply=StatusReply,
    ),
    Route(
        method="GET",
        path="/readiness",
        resource=Readiness,
        access=Access.PUBLIC,
        summary="Say whether the database and the queue answer",
        reply=StatusReply,
        errors=(HealthCheckError,),
    ),
)
