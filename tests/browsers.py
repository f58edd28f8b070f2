"""The tests with the marker `browser` run where there is a Chromium, and say so where none is.

Without one they are left out, and the head of the report says so in one line; with
`REQUIRE_BROWSER=1` the run fails instead. `CHROMIUM` names the program to take.
"""

import os
from typing import Final

import pytest

from tests.browser.chromium import find

HOW: Final = "apt-get install chromium, or name one with CHROMIUM"


def pytest_configure() -> None:
    """Fail at once, and in the first of several processes, where a browser is demanded."""
    if os.environ.get("REQUIRE_BROWSER") == "1" and find() is None:
        raise pytest.UsageError(f"there is no Chromium: {HOW}")


def pytest_report_header() -> str:
    """Which browser the pages are opened in."""
    return f"browser: {find() or f'NONE, so the tests of pages in a browser are left out ({HOW})'}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and leave it out where there is none."""
    marked = [item for item in items if "chromium" in getattr(item, "fixturenames", ())]
    for item in marked:
        item.add_marker(pytest.mark.browser)
    if not marked or find() is not None:
        return
    items[:] = [item for item in items if item not in marked]
    config.hook.pytest_deselected(items=marked)
