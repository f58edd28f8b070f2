"""Where a shop is signed in, and ending that (docs/api.md, 3.1)."""

from datetime import datetime
from typing import Final

import attrs

from adapters_http.resources.accounts.auth import OkReply
from adapters_http.web import codec, replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Paging, Route
from retail_core.accounts.model import Session
from retail_core.accounts.queries import SessionQueries
from retail_core.accounts.use_cases import EndOtherSessions, EndSession
from retail_core.kernel.ids import SessionId
from retail_core.kernel.time.clock import Clock

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 100


@attrs.frozen(kw_only=True)
class SessionReply:
    """One sign-in; `current` marks the one that asks."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    current: bool

    @classmethod
    def of(cls, session: Session, present: SessionId) -> "SessionReply":
        """Show a session."""
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            ip=session.device.ip,
            user_agent=session.device.user_agent,
            current=session.id == present,
        )


@attrs.frozen
class SessionPage:
    """A page of sessions."""

    items: tuple[SessionReply, ...]
    total: int
    page: int
    page_size: int


@attrs.frozen
class EndedReply:
    """How many sessions ended."""

    revoked: int
    ok: bool = True


@attrs.frozen
class Sessions:
    """`/api/auth/sessions`."""

    queries: SessionQueries
    end_others: EndOtherSessions
    clock: Clock

    def on_get(self, req: Request, resp: Response) -> None:
        """A page of live sessions."""
        asked = values.page(req, PAGE_SIZE, PAGE_SIZE_MAX)
        found = self.queries.page_live(req.account, self.clock.now(), asked)
        present = req.session
        resp.media = replies.page(
            found, lambda session: codec.shape(SessionReply.of(session, present))
        )

    def on_delete(self, req: Request, resp: Response) -> None:
        """End all but the present one."""
        resp.media = codec.shape(EndedReply(self.end_others(req.account, req.session)))


@attrs.frozen
class OneSession:
    """`/api/auth/sessions/:id`."""

    end: EndSession

    def on_delete(self, req: Request, resp: Response, session_id: str) -> None:
        """End it; the own one too."""
        self.end(req.account, SessionId(values.path_id(session_id)))
        resp.media = codec.shape(OkReply())


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/auth/sessions",
        resource=Sessions,
        access=Access.SESSION,
        summary="List where the shop is signed in",
        paging=Paging(PAGE_SIZE, PAGE_SIZE_MAX),
        reply=SessionPage,
    ),
    Route(
        method="DELETE",
        path="/api/auth/sessions",
        resource=Sessions,
        access=Access.SESSION,
        summary="End all sessions but the present one",
        reply=EndedReply,
    ),
    Route(
        method="DELETE",
        path="/api/auth/sessions/{session_id}",
        resource=OneSession,
        access=Access.SESSION,
        summary="End one session",
        reply=OkReply,
    ),
)
