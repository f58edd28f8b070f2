"""Numbers that are not sent to (docs/api.md, 3.2)."""

from typing import Annotated, Final

import attrs

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.resources.contacts.contacts import country_of
from adapters_http.resources.contacts.shapes import SuppressionShape, suppression_shape
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters, Described, PhoneText
from adapters_http.web.idempotency import once
from adapters_http.web.replies import PageOf
from adapters_http.web.routing import Access, Paging, Route
from retail_core.accounts.queries import AccountQueries
from retail_core.contacts.errors import (
    AlreadySuppressed,
    InvalidPhone,
    SuppressionLocked,
    SuppressionNotFound,
)
from retail_core.contacts.model import SuppressionReason
from retail_core.contacts.model.values import NOTE_LENGTH_MAX
from retail_core.contacts.queries import SuppressionFilter, SuppressionQueries
from retail_core.contacts.use_cases import DeleteSuppression, SuppressNumber
from retail_core.kernel.ids import SuppressionId

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 200
_NEEDED: Final = Described(schema={"type": ["string", "integer"]}, is_required=True)
"""A number that is missing has the code of a bad one."""


@attrs.frozen
class SuppressionsQuery:
    """Which entries: `q` is part of a number."""

    q: str | None = attrs.field(default=None, repr=False)
    reason: SuppressionReason | None = None


@attrs.frozen
class SuppressionBody:
    """A number to be barred."""

    phone: Annotated[PhoneText | None, _NEEDED] = attrs.field(default=None, repr=False)
    note: Annotated[str, Characters(0, NOTE_LENGTH_MAX)] | None = attrs.field(
        default=None, repr=False
    )


@attrs.frozen
class Suppressions:
    """`/api/suppressions`."""

    suppressions: SuppressionQueries
    accounts: AccountQueries
    suppress: SuppressNumber

    def on_get(self, req: Request, resp: Response) -> None:
        """List barred numbers."""
        query = codec.query(req, SuppressionsQuery)
        page = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        digits = None if query.q is None else "".join(filter(str.isdecimal, query.q))
        which = SuppressionFilter(digits=digits, reason=query.reason)
        found = self.suppressions.page(req.account, which, page)
        resp.media = replies.page(found, suppression_shape)

    def on_post(self, req: Request, resp: Response) -> None:
        """Bar a number."""
        body = codec.body(req, SuppressionBody)
        effect = self.suppress(
            req.account,
            body.phone or "",
            region=country_of(self.accounts, req.account),
            note=body.note,
            once=once(req),
        )
        self.on_repeat(req, resp, effect)

    def on_repeat(self, req: Request, resp: Response, effect: int) -> None:
        """The reply for a number that was barred."""
        entry = self.suppressions.find(req.account, SuppressionId(effect))
        if entry is None:
            raise SuppressionNotFound
        resp.status_code = 201
        resp.media = suppression_shape(entry)


@attrs.frozen
class OneSuppression:
    """`/api/suppressions/:id`."""

    delete: DeleteSuppression

    def on_delete(self, req: Request, resp: Response, suppression_id: str) -> None:
        """Take an entry off the list."""
        self.delete(req.account, SuppressionId(values.path_id(suppression_id)))
        resp.media = codec.shape(OkReply())


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/suppressions",
        resource=Suppressions,
        access=Access.USER,
        scope="contacts:read",
        summary="List numbers that are not sent to",
        query=SuppressionsQuery,
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=PageOf[SuppressionShape],
    ),
    Route(
        method="POST",
        path="/api/suppressions",
        resource=Suppressions,
        access=Access.USER,
        scope="contacts:write",
        summary="Bar a number",
        body=SuppressionBody,
        reply=SuppressionShape,
        status=201,
        errors=(InvalidPhone, AlreadySuppressed),
        once=True,
    ),
    Route(
        method="DELETE",
        path="/api/suppressions/{suppression_id}",
        resource=OneSuppression,
        access=Access.USER,
        scope="contacts:write",
        summary="Take a number off the list",
        reply=OkReply,
        errors=(SuppressionLocked,),
    ),
)
