"""The service as gunicorn serves it, without a web client, and a phone with a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters_db.connection.connections import Connections
from tests.browser.chromium import Chromium, Phone, find
from tests.browser.shops import Shop
from tests.contracts.worlds import connections, sql_world
from tests.integration.server.serving import Server, serving

__all__ = ["connections"]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser of this run."""
    path = find()
    assert path is not None, "tests/browsers.py leaves these tests out"
    browser = Chromium(path, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def phone(chromium: Chromium) -> Iterator[Phone]:
    """A phone whose owner reads English; no page may make its browser complain."""
    with chromium.phone() as phone:
        yield phone
        assert phone.complaints == []


@pytest.fixture
def greek_phone(chromium: Chromium) -> Iterator[Phone]:
    """A phone whose owner reads Greek."""
    with chromium.phone("el-GR,el;q=0.9,en;q=0.8") as phone:
        yield phone
        assert phone.complaints == []


@pytest.fixture(scope="session")
def site(migrated_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The API without a web client, so that it shows its own pages."""
    directory: Path = tmp_path_factory.mktemp("site")
    with serving(directory, migrated_database_url, FRONTEND_URL="none") as server:
        yield server


@pytest.fixture
def shop(connections: Connections, site: Server) -> Shop:
    """A shop that may send."""
    return Shop.opened(sql_world(connections), f"http://127.0.0.1:{site.port}")
