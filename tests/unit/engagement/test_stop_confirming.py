"""The words that tell somebody that their STOP worked, and the setting that wants them."""

import pytest

from retail_core.accounts.model import Locale
from retail_core.contacts.model import SuppressionReason
from retail_core.engagement.model import StopConfirmationPolicy, stop_confirmation_text
from retail_core.engagement.settings import stop_confirmation_policy
from retail_core.kernel.money import PriceList
from retail_core.kernel.settings import Env, SettingsError
from retail_core.templates.encoding import Encoding, measure
from tests.contracts.engagement.leaving import answer, customer, told
from tests.contracts.staging import numbers_given, shop
from tests.contracts.worlds import memory_world
from tests.unit.engagement.test_confirming import store


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(
    ("company", "sender_name", "begins"),
    [
        ("My Shop Ltd", "MyShop", "My Shop Ltd: "),
        ("x" * 150, "MyShop", "MyShop: "),
        ("Καφενείο", "Kafe", "Kafe: "),
        ("Καφενείο", None, ""),
        (None, None, ""),
    ],
)
def test_the_text_is_one_part_of_gsm_7_without_a_link_whatever_the_store_is_called(
    locale: Locale, company: str | None, sender_name: str | None, begins: str
) -> None:
    text = stop_confirmation_text(store(locale=locale, company=company, sender_name=sender_name))

    size = measure(text)
    assert (size.encoding, size.parts) == (Encoding.GSM7, 1)
    assert text.startswith((f"{begins}You will", f"{begins}\u0394EN "))
    assert "http" not in text


def test_it_is_off_unless_the_operator_wants_it() -> None:
    assert stop_confirmation_policy(Env({"APP_ENV": "test"})) == StopConfirmationPolicy()


def test_it_is_sent_and_priced_as_other_messages_are() -> None:
    variables = {
        "APP_ENV": "test",
        "STOP_CONFIRMATION": "on",
        "MITTO_SENDER": "Retail",
        "SMS_PRICE_LIST": '{"GR":3}',
        "CREDITS_LOW_THRESHOLD": "7",
    }

    assert stop_confirmation_policy(Env(variables)) == StopConfirmationPolicy(
        is_on=True, fallback_sender="Retail", prices=PriceList({"GR": 3}), low_credits=7
    )


def test_another_word_is_named() -> None:
    env = Env({"APP_ENV": "test", "STOP_CONFIRMATION": "maybe"})
    stop_confirmation_policy(env)

    with pytest.raises(SettingsError, match="STOP_CONFIRMATION"):
        env.finish()


def test_a_stop_counts_also_when_no_message_number_is_left_to_tell_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = memory_world()
    account = shop(world)
    contact = customer(world, account)
    monkeypatch.setattr(
        "retail_core.testing.messages.numbers.CODE_NUMBER_MAX", numbers_given(world)
    )

    answer(world, contact.phone)

    assert told(world, account) == ()
    with world.transactions.begin(account) as uow:
        assert SuppressionReason.STOP in uow.suppressions.reasons(account, contact.phone)
