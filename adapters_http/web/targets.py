"""Reading the request target as it was sent: segments and parameters, decoded strictly.

WSGI hands over a path that is decoded already: there `%2F` looks like a slash, and a broken escape
like a percent sign. So the undecoded target is used where the server gives it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from adapters_http.web.refusals import BadTarget

SEGMENTS_MAX: Final = 16
PARAMETERS_MAX: Final = 100
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AUTHORITY: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


def path_segments(env: Mapping[str, Any]) -> tuple[str, ...]:
    """The decoded segments of the path, without the one trailing slash that is allowed.

    An empty segment stands for a double slash and matches nothing. Raises BadTarget.
    """
    segments = _raw_path(env).split("/")[1:]
    if segments and segments[-1] == "":
        segments.pop()
    if len(segments) > SEGMENTS_MAX:
        return ("",)
    return tuple(_decoded(segment) for segment in segments)


def parameters(query_string: str) -> dict[str, str]:
    """The parameters of a query string: each at most once; an empty value counts as absent.

    Raises BadTarget.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    for pair in pairs(query_string):
        name, value = pair
        if name in seen:
            raise BadTarget(f"the parameter {name[:40]!r} is given twice")
        seen.add(name)
        if value:
            found[name] = value
    return found


def pairs(encoded: str) -> list[tuple[str, str]]:
    """The decoded pairs of a query string or a form. Raises BadTarget."""
    parts = [part for part in encoded.split("&") if part]
    if len(parts) > PARAMETERS_MAX:
        raise BadTarget(f"more than {PARAMETERS_MAX} parameters")
    halves = (part.partition("=") for part in parts)
    return [(_word(name), _word(value)) for name, _, value in halves]


def _word(raw: str) -> str:
    return _decoded(raw.replace("+", " "))


def _raw_path(env: Mapping[str, Any]) -> str:
    raw = env.get("RAW_URI") or env.get("REQUEST_URI")
    if not raw:
        return quote(str(env["PATH_INFO"]), encoding="latin-1")
    return _AUTHORITY.sub("", str(raw), count=1).partition("?")[0].partition("#")[0] or "/"


def _decoded(raw: str) -> str:
    if _BROKEN_ESCAPE.search(raw):
        raise BadTarget("the address holds a broken percent escape")
    try:
        text = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        raise BadTarget("the address is not valid UTF-8") from None
    if "\0" in text:
        raise BadTarget("the address holds a NUL")
    return text
