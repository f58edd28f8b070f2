"""A real Chromium without a window, as a phone: opened, looked at and pressed like by a person.

It is driven through its DevTools protocol over two pipes, so neither a driver nor a library is
needed. It reaches this machine alone.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.02
PHONE_WIDTH: Final = 390
PHONE_HEIGHT: Final = 844
FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # as root, as in containers, there is none; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_FIRST_FREE_FD: Final = 10
_READ_BYTES: Final = 65_536

_CENTRE_OF_BUTTON: Final = """(label) => {
  const found = [...document.querySelectorAll('button')].filter(b => b.innerText.trim() === label);
  if (found.length !== 1) throw new Error(found.length + ' buttons are called ' + label);
  found[0].scrollIntoView({block: 'center'});
  const box = found[0].getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}"""


class BrowserError(AssertionError):
    """The browser did not do what it was asked to do."""


def find() -> str | None:
    """The Chromium of this machine; `CHROMIUM` names another one."""
    given = os.environ.get("CHROMIUM")
    names = (given,) if given else NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


class Chromium:
    """One process with a profile of its own."""

    def __init__(self, path: str, directory: Path) -> None:
        # the ends of the browser must be 3 and 4 there, so none of ours may be one of these here
        there_reads, self._write = (_moved(fd) for fd in os.pipe())
        self._read, there_writes = (_moved(fd) for fd in os.pipe())
        log = str(directory / "chromium.log")
        self._pid = os.posix_spawn(
            path,
            (path, *FLAGS, f"--user-data-dir={directory / 'profile'}", "about:blank"),
            os.environ | {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, there_reads, 3),
                (os.POSIX_SPAWN_DUP2, there_writes, 4),
            ],
            setpgroup=0,
        )
        os.close(there_reads)
        os.close(there_writes)
        self._buffer = b""
        self._last_id = 0
        self._listeners: dict[str, Callable[[str, Mapping[str, Any]], None]] = {}

    @contextlib.contextmanager
    def phone(self, language: str = "en-GB") -> Iterator["Phone"]:
        """A fresh browser on a phone, with no cookie, in the language of its owner."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        phone = Phone(self, attached["sessionId"], language)
        self._listeners[attached["sessionId"]] = phone.hear
        try:
            phone.begin()
            yield phone
        finally:
            del self._listeners[attached["sessionId"]]
            self.ask("Target.disposeBrowserContext", browserContextId=context)

    def ask(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        """One command and its answer. Raises `BrowserError`."""
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._next(end - time.monotonic())
            if answer is None:
                raise BrowserError(f"no answer to {method}")
            if answer.get("id") == self._last_id:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def listen(self, seconds: float) -> None:
        """Hear what happens meanwhile."""
        self._next(seconds)

    def close(self) -> None:
        """End the process, and all that it has started."""
        with contextlib.suppress(BrowserError, OSError):
            self.ask("Browser.close")
        os.close(self._write)
        os.close(self._read)
        end = time.monotonic() + PATIENCE_SECONDS
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.killpg(self._pid, signal.SIGKILL)
            time.sleep(LOOK_SECONDS)

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """The next message; events go to their tab. None if none comes in time."""
        end = time.monotonic() + max(seconds, 0.0)
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(end - time.monotonic(), 0.0))[0]:
                return None
            piece = os.read(self._read, _READ_BYTES)
            if not piece:
                raise BrowserError("Chromium has ended; see chromium.log")
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        listener = self._listeners.get(message.get("sessionId", ""))
        if listener is not None and "method" in message:
            listener(message["method"], message["params"])
        return message


class Phone:
    """One page at a time on a small screen.

    `complaints` are what the browser's console says of the pages: a style that the policy forbids,
    a script that fails.
    """

    def __init__(self, chromium: Chromium, session: str, language: str) -> None:
        self._chromium, self._session, self._language = chromium, session, language
        self._loads = 0
        self._status = 0
        self._sent: dict[str, str] = {}
        self.complaints: list[str] = []

    def begin(self) -> None:
        """Be a phone."""
        agent = self._chromium.ask("Browser.getVersion")["userAgent"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        self._ask("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=self._language)
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=PHONE_WIDTH,
            height=PHONE_HEIGHT,
            deviceScaleFactor=2,
            mobile=True,
        )
        self._ask("Emulation.setTouchEmulationEnabled", enabled=True)

    def be_dark(self) -> None:
        """Prefer dark pages from here on."""
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        self._ask("Emulation.setEmulatedMedia", features=dark)

    def open(self, url: str) -> None:
        """Follow a link and wait for its page."""
        with self._another_page():
            self._ask("Page.navigate", url=url)

    def tap(self, button: str) -> None:
        """Touch the one button with this label, and wait for the page that follows."""
        x, y = self.evaluate(f"({_CENTRE_OF_BUTTON})({json.dumps(button)})")
        with self._another_page():
            point = {"x": x, "y": y}
            self._ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
            self._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press_enter_on(self, tabs: int) -> None:
        """Go to what so many presses of the tab key reach, and press Enter."""
        for _ in range(tabs):
            self._key("Tab", 9)
        with self._another_page():
            self._key("Enter", 13, "\r")

    def evaluate(self, expression: str) -> Any:
        """The value of a script's expression on the page. Raises `BrowserError`."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    @property
    def status(self) -> int:
        """The status of the page that is seen."""
        return self._status

    @property
    def text(self) -> str:
        """All that can be read."""
        return str(self.evaluate("document.body.innerText"))

    @property
    def heading(self) -> str:
        return str(self.evaluate("document.querySelector('h1').innerText"))

    @property
    def language(self) -> str:
        return str(self.evaluate("document.documentElement.lang"))

    @property
    def buttons(self) -> Sequence[str]:
        """The labels of all buttons."""
        labels = "[...document.querySelectorAll('button')].map(b => b.innerText.trim())"
        return list(self.evaluate(labels))

    @property
    def width(self) -> int:
        """How wide the content is, however narrow the screen."""
        widest = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        return int(self.evaluate(widest))

    @property
    def last_form(self) -> Mapping[str, str]:
        """The headers, in lower case, with which the last form was sent."""
        return self._sent

    def photograph(self, path: Path) -> None:
        """Keep what the screen shows."""
        shot = self._ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def hear(self, event: str, parameters: Mapping[str, Any]) -> None:
        """Note what an event tells of the page."""
        match event:
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.responseReceived" if parameters["type"] == "Document":
                self._status = parameters["response"]["status"]
            case "Network.requestWillBeSent" if parameters["request"]["method"] == "POST":
                self._note_form(parameters["request"]["headers"])
            case "Network.requestWillBeSentExtraInfo":
                headers = parameters["headers"]
                if headers.get(":method", "POST") == "POST" and "Origin" in headers:
                    self._note_form(headers)
            case "Log.entryAdded" if parameters["entry"]["source"] != "network":
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case _:
                pass

    def _note_form(self, headers: Mapping[str, str]) -> None:
        self._sent = {name.lower(): value for name, value in headers.items()}

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._chromium.ask(method, self._session, **parameters)

    def _key(self, name: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self._ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode=code,
                **typed,
            )

    @contextlib.contextmanager
    def _another_page(self) -> Iterator[None]:
        """Wait until what is done here has led to a loaded page."""
        before, end = self._loads, time.monotonic() + PATIENCE_SECONDS
        yield
        while self._loads == before:
            if time.monotonic() > end:
                raise BrowserError("no page was loaded")
            self._chromium.listen(LOOK_SECONDS)


def _moved(fd: int) -> int:
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)
    os.close(fd)
    return moved
