"""A laboratory on a database of its own: sweeps and claims cross accounts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters_db.migrate import upgrade
from tests.torture.forge import Forge
from tests.torture.matrix import Laboratory
from tests.torture.shops import Shops


@pytest.fixture(scope="package")
def laboratory(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Where crashes are tried; what children complain of lies beside the gateways' logs."""
    url = new_database()
    upgrade(url)
    directory: Path = tmp_path_factory.mktemp("torture")
    with Shops.at(url) as shops, Forge.lit(directory / "forge.log") as forge:
        yield Laboratory(shops, forge, directory)
