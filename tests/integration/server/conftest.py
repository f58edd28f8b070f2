from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.server.serving import Server, serving


@pytest.fixture(scope="module")
def server(
    migrated_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The API under gunicorn, with its own settings file and few threads."""
    directory: Path = tmp_path_factory.mktemp("server")
    with serving(directory, migrated_database_url) as server:
        yield server
