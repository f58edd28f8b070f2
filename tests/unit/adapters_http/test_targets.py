"""Reading the request target, whatever the server gives of it."""

import pytest

from adapters_http.web.refusals import BadTarget
from adapters_http.web.targets import path_segments


@pytest.mark.parametrize(
    ("env", "segments"),
    [
        ({"RAW_URI": "/a/b%2Fc?x=1/2"}, ("a", "b/c")),
        ({"RAW_URI": "http://host.example/a/b?x"}, ("a", "b")),
        ({"RAW_URI": "http://host.example"}, ()),
        ({"REQUEST_URI": "/a#b"}, ("a",)),
        ({"RAW_URI": "*"}, ()),
        ({"RAW_URI": "/"}, ()),
        ({"RAW_URI": "/a/"}, ("a",)),
        ({"RAW_URI": "/a//"}, ("a", "")),
        ({"RAW_URI": "/\u00cf\u0089"}, ("ω",)),
        ({"PATH_INFO": "/a/\u00cf\u0089%"}, ("a", "ω%")),
    ],
)
def test_a_path_is_taken_apart(env: dict[str, str], segments: tuple[str, ...]) -> None:
    assert path_segments(env) == segments


@pytest.mark.parametrize("raw", ["/%", "/%g0", "/%0", "/%00", "/%80", "/\u0100", "/\u00ff"])
def test_what_cannot_be_read_is_refused(raw: str) -> None:
    with pytest.raises(BadTarget):
        path_segments({"RAW_URI": raw})


def test_endless_paths_match_nothing() -> None:
    assert path_segments({"RAW_URI": "/a" * 1000}) == ("",)
