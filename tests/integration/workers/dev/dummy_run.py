"""Runs a plan with real embedded servers and small stand-ins for the processes.

`python dummy_run.py DIRECTORY PORT`; the test that starts it reads what it prints.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from workers.dev.children import Child
from workers.dev.console import Console
from workers.dev.embedded import EmbeddedPostgres, EmbeddedValkey
from workers.dev.plan import Plan, Server
from workers.dev.run import run

API = """
import http.server, os
class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readiness" else 404)
        self.end_headers()
    def log_message(self, *arguments): pass
print("database", os.environ["DATABASE_URL"] == os.environ["DIRECT_DATABASE_URL"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Api).serve_forever()
"""
WORKER = "import os, time; print('working as', os.getpid(), flush=True); time.sleep(600)"


def plan_of(directory: Path, port: int) -> Plan:
    var = directory / "var"
    var.mkdir(exist_ok=True)

    def children(variables: Mapping[str, str]) -> tuple[Child, ...]:
        return (
            Child("api", (sys.executable, "-c", API), variables),
            Child("worker", (sys.executable, "-c", WORKER), variables),
        )

    postgres = EmbeddedPostgres(var / "postgres", durable=False)
    valkey = EmbeddedValkey(var / "valkey", durable=False)
    return Plan(
        directory=directory,
        port=port,
        variables={"PORT": str(port)},
        servers=(
            Server("PostgreSQL", ("DATABASE_URL", "DIRECT_DATABASE_URL"), postgres),
            Server("Valkey", ("REDIS_URL",), valkey),
        ),
        preparation=(),
        children=children,
        seeds_demo=False,
    )


if __name__ == "__main__":
    sys.exit(run(plan_of(Path(sys.argv[1]), int(sys.argv[2])), Console.on(sys.stdout)))
