"""Whatever the suite logs is searched for whatever the suite used: numbers, tokens, texts, secrets.

Lines are looked at as a process would write them, after redaction. Tests of the API tell what they
sent (`used`); all others are known by their form.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import loguru
import pytest
from loguru import logger

from retail_core.kernel.process.logs import json_line

FORMS: Final = {
    "telephone number": re.compile(r"(?<![\w.])(?:\+|00)?(?:30)?69\d{8}(?!\w)"),
    "e-mail address": re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}"),
    "signed token": re.compile(r"\beyJ[\w-]+\.[\w-]+\."),
    "refresh token": re.compile(r"\b[0-9a-f]{128}\b"),
    "API key": re.compile(r"\brsk_\w"),
    "password": re.compile(r"correct horse|battery staple|long-enough-7|another-long-one"),
    "secret": re.compile(r"the gateway's secret|a secret (?:that|of) |whsec_|sk_(?:test|live)_"),
}
PERSONAL_KEYS: Final = frozenset(
    {"password", "newPassword", "oldPassword", "phone", "email", "firstName", "lastName", "company"}
    | {"messageText", "text", "messageBody", "to", "note", "consentSource", "token", "pageToken"}
)
CHARACTERS_MIN: Final = 5
"""Shorter ones are in other words by chance."""

OURS: Final = frozenset(
    {"time", "level", "process", "pid", "logger", "requestId", "method", "route"}
)
"""What lines hold in any case: a text that a test drew may be a word of it."""

_lines: Final[list[str]] = []
_used: Final[set[str]] = set()


def used(*texts: str) -> None:
    """Note what must be in no line of this test."""
    _used.update(text for text in texts if len(text) >= CHARACTERS_MIN)


def used_in(body: object, key: str = "") -> None:
    """Note what a request says about people and secrets, however deep it says it."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            used_in(value, str(name))
    elif isinstance(body, list | tuple):
        for value in body:
            used_in(value, key)
    elif key in PERSONAL_KEYS and isinstance(body, str | int) and not isinstance(body, bool):
        used(str(body).strip())


def findings(lines: Iterable[str], texts: Iterable[str] = ()) -> Iterator[str]:
    """Every line with something in it that no log may hold."""
    texts = tuple(texts)
    for line in lines:
        names = [name for name, form in FORMS.items() if form.search(line)]
        told = _told(line) if texts else ""
        names += [f"{text[:40]!r}" for text in texts if text in told]
        if names:
            yield f"{', '.join(names)}: {line[:1000]}"


def _told(line: str) -> str:
    """What a line says beside what all say: no keys, and nothing of our own."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    return "\n".join(str(value) for name, value in record.items() if name not in OURS)


def findings_in(files: Iterable[Path], texts: Iterable[str] = ()) -> list[str]:
    """The same for what processes wrote; their files must exist and not be empty."""
    found = []
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines, f"{path.name} is empty, so it proves nothing"
        found += [f"{path.name}: {each}" for each in findings(lines, texts)]
    return found


def _keep(record: "loguru.Record") -> None:
    _lines.append(json_line(record))


@pytest.fixture(autouse=True)
def harmless_logs() -> Iterator[None]:
    """Fails a test whose log tells too much; a test that logs secrets on purpose overrides it."""
    _lines.clear()
    _used.clear()
    # a patcher survives whoever takes all sinks away, but is asked only while there is a sink
    logger.configure(patcher=_keep)
    number = logger.add(lambda _message: None, level="DEBUG")
    yield
    with suppress(ValueError):
        logger.remove(number)
    found = list(findings(_lines, _used))
    assert found == [], "the log holds what no log may hold"
