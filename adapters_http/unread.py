"""Telling a client that its connection ends, where its body is so large that nobody reads on."""

from collections.abc import Callable, Iterable
from typing import Any

from adapters_http.web.routing import BODY_BYTES_MAX

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def closing_unread(application: Application) -> Application:
    """Say `Connection: close` in a reply that comes before a large body (RFC 9112, 9.6).

    gunicorn decides that only after the reply, when a client that keeps connections counts on this
    one already.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def begin(*said: object) -> Any:  # noqa: ANN401 - as WSGI has it
            reader = environ["wsgi.input"].reader
            if getattr(reader, "length", 0) > BODY_BYTES_MAX:
                start_response.__self__.force_close()  # type: ignore[attr-defined] # gunicorn's
            return start_response(*said)

        return application(environ, begin)

    return answer
