"""What a person's browser shows where a page is refused (docs/api.md, 1.1)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

from tests.browser.chromium import PHONE_WIDTH, Phone
from tests.browser.shops import OUT, Shop
from tests.contracts.worlds import sql_world
from tests.integration.server.serving import Server, serving
from tests.own_database import own_connections

VIEWS_A_MINUTE = 60


@pytest.mark.parametrize(
    ("path", "status", "english", "greek"),
    [
        ("/u/garbled-code", 400, "This link does not work", "Ο σύνδεσμος δεν λειτουργεί"),
        ("/u/%zz", 400, "This link does not work", "Ο σύνδεσμος δεν λειτουργεί"),
        ("/u/a/b", 404, "There is no page here", "Δεν υπάρχει σελίδα εδώ"),
        ("/retail/unsubscribe", 404, "There is no page here", "Δεν υπάρχει σελίδα εδώ"),
        ("/s/abcdefghij", 404, "There is no page here", "Δεν υπάρχει σελίδα εδώ"),
    ],
)
def test_it_says_in_their_language_what_to_do(
    site: Server,
    phone: Phone,
    greek_phone: Phone,
    path: str,
    status: int,
    english: str,
    greek: str,
) -> None:
    for each, language, heading in ((phone, "en", english), (greek_phone, "el", greek)):
        each.open(f"http://127.0.0.1:{site.port}{path}")

        assert (each.status, each.language, each.heading) == (status, language, heading)
        assert len(each.text) > len(heading) + 40
        assert each.width == PHONE_WIDTH


def test_a_press_that_leads_nowhere_says_so(shop: Shop, greek_phone: Phone) -> None:
    [link] = shop.written_to(shop.customer())
    greek_phone.open(link)

    greek_phone.evaluate("document.forms[0].action += 'x'")
    greek_phone.tap("Stop messages")

    assert (greek_phone.status, greek_phone.language) == (400, "el")
    assert greek_phone.heading == "Ο σύνδεσμος δεν λειτουργεί"


def test_where_looking_is_refused_stopping_is_not(
    shop: Shop, phone: Phone, migrated_database_url: str, tmp_path: Path
) -> None:
    ana = shop.customer()
    [link] = shop.written_to(ana)
    with serving(
        tmp_path, migrated_database_url, FRONTEND_URL="none", RATE_LIMITS_FACTOR="1"
    ) as strict:
        there = link.replace(shop.site, f"http://127.0.0.1:{strict.port}")
        for _ in range(VIEWS_A_MINUTE):
            urlopen(there).close()

        phone.open(there)
        assert (phone.status, phone.heading) == (429, "One moment, please")
        assert phone.width == PHONE_WIDTH
        phone.tap("Stop messages")

    assert (phone.status, phone.heading) == (200, "Done")
    assert shop.state_of(ana) == OUT


def test_an_outage_asks_for_patience_and_pressing_again_works(
    phone: Phone, greek_phone: Phone, new_database: Callable[[], str], tmp_path: Path
) -> None:
    with (
        own_connections(new_database) as connections,
        serving(tmp_path, connections.settings.url, FRONTEND_URL="none") as server,
    ):
        shop = Shop.opened(sql_world(connections), f"http://127.0.0.1:{server.port}")
        ana = shop.customer()
        [link] = shop.written_to(ana)
        phone.open(link)
        with _outage(connections.settings.url):
            phone.tap("Stop messages")
            assert (phone.status, phone.buttons) == (503, ["Try again"])
            assert "Nothing bad happens if you press twice." in phone.text
            greek_phone.open(link)
            assert (greek_phone.status, greek_phone.language) == (503, "el")
            assert greek_phone.heading == "Η σελίδα δεν λειτουργεί προσωρινά"

        phone.tap("Try again")

        assert (phone.status, phone.heading) == (200, "Done")
        assert shop.state_of(ana) == OUT


@contextmanager
def _outage(url: str) -> Iterator[None]:
    """For a while nobody can connect to a database."""
    place, _, name = url.rpartition("/")
    with psycopg.connect(f"{place}/postgres", autocommit=True) as administration:
        administration.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        administration.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        administration.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
