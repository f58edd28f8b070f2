"""The framework with the product's own statements and nothing else.

    gunicorn bench.bare_reads:application

At its start it lets the product answer the request once and writes down every statement that goes
to PostgreSQL; from then on it sends just these, in the same order, on a connection a thread keeps,
counts the request in Redis with the same script, and writes the rows as JSON.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

import falcon
import orjson
import psycopg
import redis
from falcon.testing import TestClient
from psycopg.rows import dict_row

from adapters_db.connection.connections import Connections
from adapters_http import wiring, wsgi
from adapters_http.app import create_app
from adapters_http.limits.counting import MILLISECONDS, SLOTS
from adapters_http.limits.shared import TAKE, TAKE_ID
from adapters_http.limits.table import EVERY_CALLER
from bench.reads import PATH, QUERY
from retail_core.kernel.settings import Env

Statement = tuple[Any, Any]


def recorded(ask: Callable[[], None]) -> list[Statement]:
    """What goes to PostgreSQL while the product answers."""
    found: list[Statement] = []
    execute: Any = psycopg.Cursor.execute
    commit: Any = psycopg.Connection.commit

    def note(cursor: object, query: object, params: object = None, **how: object) -> object:
        found.append((query, params))
        return execute(cursor, query, params, **how)

    def note_commit(connection: "psycopg.Connection[Any]") -> None:
        found.append((b"COMMIT", None))
        commit(connection)

    psycopg.Cursor.execute = note  # type: ignore[method-assign,assignment]
    psycopg.Connection.commit = note_commit  # type: ignore[method-assign,assignment]
    try:
        ask()
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
        psycopg.Connection.commit = commit  # type: ignore[method-assign]
    return found


def statements() -> list[Statement]:
    """Those of one page of contacts; the second answer is asked for, when all is warm."""
    settings = wsgi.Settings.read(Env(dict(os.environ)))
    container = wsgi.compose(settings)
    client = TestClient(create_app(wiring.parts(container, settings.edge)))
    headers = {"Authorization": f"Bearer {os.environ['BENCH_TOKEN']}"}

    def ask() -> None:
        reply = client.simulate_get(PATH, query_string=QUERY, headers=headers)
        assert reply.status_code == 200, reply.text

    ask()
    found = recorded(ask)
    container.resolve(Connections).engine.dispose()
    return found


class Reads:
    """Sends the statements and shows the rows of the last that has any."""

    def __init__(self) -> None:
        self._statements = statements()
        self._counts = redis.Redis.from_url(os.environ["REDIS_URL"])
        self._counts.script_load(TAKE)
        self._thread = threading.local()

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """A page of contacts."""
        window = EVERY_CALLER.window_seconds * MILLISECONDS
        self._counts.evalsha(TAKE_ID, 1, "{limits}:bare", SLOTS, 1_000_000_000, window)
        rows: list[Any] = []
        cursor = self._cursor()
        for query, params in self._statements:
            cursor.execute(query, params)
            rows = [row for each in cursor.results() if each.description for row in each] or rows
        resp.data = orjson.dumps({"items": rows}, default=str)

    def _cursor(self) -> Any:  # noqa: ANN401 - rows of any shape
        if not hasattr(self._thread, "cursor"):
            connection = psycopg.connect(
                os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=None
            )
            connection.execute("SET ROLE retail_bound")
            self._thread.cursor = connection.cursor(row_factory=dict_row)
        return self._thread.cursor


application: "falcon.App[Any, Any]" = falcon.App()
application.add_route(PATH, Reads())
