from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.accounts.model import Account, Locale
from retail_core.contacts.model import ConsentSource
from retail_core.engagement.model import ShownConsent, confirmation_text, number_free_at
from retail_core.templates.encoding import Encoding, measure
from tests.contracts.worlds import memory_world

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINK = "https://api.a-rather-long-name.example/u/AAAAAAAAAAA"


def store(**changes: Any) -> Account:
    world = memory_world()
    account = world.new_account()
    with world.transactions.begin(account) as uow:
        return attrs.evolve(uow.accounts.get(account), **changes)


@given(hours=st.lists(st.integers(0, 60 * 24), max_size=40))
def test_in_any_24_hours_one_is_asked_and_in_any_30_days_three(hours: list[int]) -> None:
    """Whenever somebody tries: who is asked whenever it is allowed is never asked too often."""
    asked: list[datetime] = []
    for each in sorted(hours):
        now = NOON + each * HOUR
        free_at = number_free_at(asked, now)
        if free_at is None:
            asked.append(now)
        else:
            assert free_at > now
            assert number_free_at(asked, free_at) is None
            assert number_free_at(asked, free_at - timedelta(microseconds=1)) is not None

    for at in asked:
        assert sum(at <= other < at + 24 * HOUR for other in asked) == 1
        assert sum(at <= other < at + timedelta(days=30) for other in asked) <= 3


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"company": "My Shop Ltd", "sender_name": "MyShop"}, "My Shop Ltd: "),
        ({"company": None, "sender_name": "MyShop"}, "MyShop: "),
        ({"company": "x" * 120, "sender_name": "MyShop"}, "MyShop: "),
        ({"company": "Καφενείο η ωραία Ελλάδα", "sender_name": "Kafe"}, "Kafe: "),
        ({"company": "Καφενείο η ωραία Ελλάδα", "sender_name": None}, ""),
        ({"company": None, "sender_name": None}, ""),
    ],
)
def test_the_text_is_one_cheap_part_whatever_the_store_is_called(
    locale: Locale, changes: dict[str, object], begins: str
) -> None:
    text = confirmation_text(store(**changes), locale, LINK)

    size = measure(text)
    assert (size.parts, size.encoding) == (1, Encoding.GSM7)
    assert text.startswith(begins)
    assert text.endswith(f" {LINK}")


def test_a_link_of_any_length_is_sent_whole() -> None:
    link = "https://example.com/u/" + "A" * 300

    assert confirmation_text(store(company="Shop"), Locale.EN, link).endswith(link)


def test_what_was_shown_hides_texts_of_people() -> None:
    shown = ShownConsent(source=ConsentSource.NFC, text="I agree.", statement="at the till")

    assert "I agree" not in repr(shown)
    assert "till" not in repr(shown)
