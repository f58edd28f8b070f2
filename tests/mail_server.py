"""A mail server on loopback that keeps what it takes, and fails in the ways a test asks for."""

import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import attrs


@attrs.frozen
class Taken:
    """A mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    login: str | None


@attrs.define
class MailServer:
    """What it answers: `answers` has a line for the first word of a command, such as `RCPT`.

    An answer of `None` closes the connection instead, and one of "" never comes.
    """

    port: int = 0
    answers: Mapping[str, str | None] = attrs.field(factory=dict)
    tls: ssl.SSLContext | None = None
    tls_from_the_start: bool = False
    offers: tuple[str, ...] = ("8BITMIME",)
    taken: list[Taken] = attrs.field(factory=list)
    connections: int = 0
    stop: threading.Event = attrs.field(factory=threading.Event)


class _Talk(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        told: MailServer = self.server.told  # type: ignore[attr-defined]
        told.connections += 1
        self.stream = self.request
        self.encrypted = False
        try:
            if told.tls_from_the_start:
                self._encrypt()
            self.file = self.stream.makefile("rb")
            self._talk(told)
        except (OSError, ValueError):
            pass
        finally:
            self.stream.close()

    def _encrypt(self) -> None:
        context = self.server.told.tls  # type: ignore[attr-defined]
        self.stream = context.wrap_socket(self.stream, server_side=True)
        self.encrypted = True

    def _say(self, text: str) -> None:
        self.stream.sendall(text.encode() + b"\r\n")

    def _talk(self, told: MailServer) -> None:
        if not self._answer(told, "CONNECT", "220 mail.example ESMTP"):
            return
        sender, recipients, login = "", [], None
        while line := self.file.readline():
            words = line.decode().strip()
            verb = words.partition(" ")[0].upper()
            if verb == "STARTTLS":
                self._say("220 go ahead")
                self._encrypt()
                self.file = self.stream.makefile("rb")
                continue
            if verb == "AUTH":
                login = words
            if verb == "MAIL":
                sender = words.partition("<")[2].partition(">")[0]
            if verb == "RCPT":
                recipients.append(words.partition("<")[2].partition(">")[0])
            if not self._answer(told, verb, self._usual(told, verb)) or verb == "QUIT":
                return
            if verb == "DATA" and "DATA" not in told.answers:
                message = message_from_bytes(self._data(), policy=default)
                told.taken.append(Taken(sender, tuple(recipients), message, self.encrypted, login))
                if not self._answer(told, "END", "250 taken"):
                    return

    def _usual(self, told: MailServer, verb: str) -> str:
        if verb == "EHLO":
            offers = list(told.offers)
            if told.tls is not None and not self.encrypted:
                offers.append("STARTTLS")
            lines = ["mail.example", *offers]
            return "\r\n".join(f"250-{each}" for each in lines[:-1]) + f"\r\n250 {lines[-1]}"
        return {"DATA": "354 go on", "AUTH": "235 welcome", "QUIT": "221 bye"}.get(verb, "250 ok")

    def _answer(self, told: MailServer, verb: str, usual: str) -> bool:
        answer = told.answers.get(verb, usual)
        if answer is None:
            return False
        if answer == "":
            told.stop.wait()
            return False
        self._say(answer)
        return True

    def _data(self) -> bytes:
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = False
    allow_reuse_address = True


@contextmanager
def mail_server(told: MailServer | None = None) -> Iterator[MailServer]:
    """Run it until the block ends."""
    told = told or MailServer()
    server = _Server(("127.0.0.1", 0), _Talk)
    server.told = told  # type: ignore[attr-defined]
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        told.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
