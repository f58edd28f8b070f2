"""Who acts, for the audit log."""

from adapters_http.web.context import Exchange, Request, Response
from retail_core.kernel.audit import Agent, AgentKind, act_as


class Acting:
    """Binds the caller around their request: use cases need not hand on who they are.

    Stands behind the check of credentials, so a forged one names nobody.
    """

    def process_resource(
        self, req: Request, _resp: Response, _place: object, _params: object
    ) -> None:
        """Begin: whatever is written down from here on is this caller's deed."""
        act_as(agent_of(req.context))

    def process_response(
        self, _req: Request, _resp: Response, _resource: object, _ok: object
    ) -> None:
        """End: the thread serves somebody else next."""
        act_as(Agent())


def agent_of(note: Exchange) -> Agent:
    """The caller as the audit log knows them."""
    caller = note.caller
    if caller is None:
        kind = AgentKind.VISITOR
    elif caller.session is not None:
        kind = AgentKind.USER
    else:
        kind = AgentKind.API_KEY
    return Agent(
        kind=kind,
        account=caller.account if caller else None,
        session=caller.session if caller else None,
        api_key=caller.api_key if caller else None,
        request_id=note.request_id,
        address=note.address or None,
    )
