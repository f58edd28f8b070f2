"""The framework alone: `gunicorn bench.bare_echo:application` sends back what it was asked."""

from typing import Any

import falcon
import orjson


class Echo:
    """Says what it heard."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The query, as JSON."""
        resp.data = orjson.dumps(req.params)


application: "falcon.App[Any, Any]" = falcon.App()
application.add_route("/api/contacts", Echo())
