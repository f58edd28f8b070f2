"""A callback that writes down what it is told, and refuses as often as a test wants."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import orjson


@attrs.frozen
class Call:
    path: str
    secret: str | None
    body: Any


@attrs.define
class Receiver:
    base_url: str = ""
    refusals_left: int = 0
    calls: list[Call] = attrs.field(factory=list)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def reports(self) -> list[dict[str, Any]]:
        """All reports, in order of arrival."""
        return [
            report
            for call in self.calls
            for report in (call.body if isinstance(call.body, list) else [call.body])
        ]

    def words(self) -> Counter[str]:
        """How often each status word came."""
        return Counter(report["deliveryStatus"] for report in self.reports)

    def take(self, call: Call) -> int:
        with self.lock:
            if self.refusals_left:
                self.refusals_left -= 1
                return 503
            self.calls.append(call)
            return 202


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = receiver.take(Call(self.path, self.headers.get("X-Webhook-Token"), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    receiver.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
