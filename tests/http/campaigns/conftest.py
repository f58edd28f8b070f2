"""The routes of campaigns in both worlds."""

from collections.abc import Iterator

import pytest

from tests.contracts.worlds import memory_world
from tests.http.api import Api, Shop
from tests.http.campaigns.shops import campaigns_in_memory, new_shop, send


@pytest.fixture
def memory_api() -> Api:
    """The routes of campaigns in memory."""
    return campaigns_in_memory(memory_world())


@pytest.fixture
def sql_api(api: Api) -> Iterator[Api]:
    """All routes on PostgreSQL, where no batch is left waiting for the tests of others."""
    yield api
    send(api)


@pytest.fixture(params=["memory", pytest.param("sql", marks=pytest.mark.servers)])
def campaign_api(request: pytest.FixtureRequest) -> Api:
    """The routes of campaigns, once in memory and once on PostgreSQL."""
    found: Api = request.getfixturevalue(f"{request.param}_api")
    return found


@pytest.fixture
def seller(campaign_api: Api) -> Shop:
    """A shop with three contacts, 100 credits and a subscription, in both worlds."""
    return new_shop(campaign_api)


@pytest.fixture
def quick_seller(memory_api: Api) -> Shop:
    """The same in memory only, for the many ways in which a body can be wrong."""
    return new_shop(memory_api)


@pytest.fixture
def sql_seller(sql_api: Api) -> Shop:
    """The same on PostgreSQL only, where requests can really meet."""
    return new_shop(sql_api)
