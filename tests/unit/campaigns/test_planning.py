"""What is fixed when a campaign starts, and what its preview shows."""

from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.accounts.model import Account, Locale
from retail_core.campaigns.errors import NoMessageText, NoValidSender
from retail_core.campaigns.model import CampaignContent
from retail_core.campaigns.planning import forecast, plan_of, rules_of, sample_plan
from retail_core.campaigns.use_cases import PreviewCampaign
from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.messages.composing import compiled, text_of
from retail_core.messages.model import MergeGroup
from retail_core.templates.encoding import measure
from retail_core.testing.kernel.clock import NOON
from tests.contracts.staging import CODES, people, policy, shop, written
from tests.contracts.worlds import memory_world

STORE = Account(
    id=AccountId(7),
    email="shop@example.com",
    password_hash=None,
    sender_name=None,
    company=None,
    timezone=None,
    adults_only=False,
    quiet_hours=None,
    default_country="GR",
    locale=Locale.EN,
    smart_encoding=SmartEncoding.OFF,
    created_at=NOON,
    updated_at=NOON,
)
HELLO = CampaignContent("Sale", "Hello {{storeName}}", include_offer=True)
NAMES = st.none() | st.text(max_size=40)


def store(**changes: Any) -> Account:
    return attrs.evolve(STORE, **changes)


def test_the_stores_own_sender_goes_before_the_fallback() -> None:
    assert plan_of(HELLO, store(sender_name="Bakery"), policy()).sender == "Bakery"
    assert plan_of(HELLO, store(), policy()).sender == "Shop"


def test_a_sender_saved_before_the_rule_is_passed_over() -> None:
    assert plan_of(HELLO, store(sender_name="No spaces!"), policy()).sender == "Shop"


def test_without_any_valid_sender_nothing_is_planned() -> None:
    with pytest.raises(NoValidSender):
        plan_of(HELLO, store(), attrs.evolve(policy(), fallback_sender=None))


def test_a_preview_does_without_a_sender_but_not_without_a_text() -> None:
    nobody = attrs.evolve(policy(), fallback_sender=None)

    assert sample_plan(HELLO, store(), nobody).sender == ""
    with pytest.raises(NoMessageText):
        sample_plan(attrs.evolve(HELLO, message_text=" "), store(), nobody)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"company": "The Bakery", "sender_name": "Bakery"}, "The Bakery"),
        ({"sender_name": "Bakery"}, "Bakery"),
        ({}, "Our shop"),
        ({"locale": Locale.EL}, "Το κατάστημά μας"),
    ],
)
def test_the_store_is_named_by_company_sender_or_a_neutral_word(
    changes: dict[str, Any], name: str
) -> None:
    assert plan_of(HELLO, store(**changes), policy()).store_name == name


def test_the_lines_are_appended_once_in_the_stores_language() -> None:
    plan = plan_of(HELLO, store(locale=Locale.EL), policy())

    assert plan.text.startswith("Hello {{storeName}}\n")
    assert plan.text.count("{{offerUrl}}") == plan.text.count("{{unsubscribeUrl}}") == 1
    again = attrs.evolve(HELLO, message_text=plan.text)
    assert plan_of(again, store(locale=Locale.EL), policy()).text == plan.text


@pytest.mark.parametrize(
    ("written", "planned"),
    [
        ("Hello", "Hello"),
        ("See {{offerUrl}}!", "See !"),
        ("See {{ OFFERURL | the shop }}!", "See the shop!"),
    ],
)
def test_without_an_offer_page_no_text_leads_to_it(written: str, planned: str) -> None:
    content = attrs.evolve(HELLO, message_text=written)
    plan = plan_of(content, store(), attrs.evolve(policy(), has_offer_page=False))

    number = MessageNumber(7)
    text = text_of(plan, CODES, number, None, None, None)

    assert text == f"{planned}\nStop: {plan.links.opt_out_link(CODES.opt_out_code(number))}"
    assert compiled(plan).size(None, None, None).length == len(text)


def test_the_day_of_the_rules_is_the_day_in_the_stores_zone() -> None:
    midnight = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)

    def day(zone: str | None) -> date:
        return rules_of(store(timezone=zone), policy(), midnight).today

    assert (day("Europe/Athens"), day(None)) == (date(2026, 11, 25), date(2026, 11, 24))


@given(
    text=st.text(max_size=200),
    smart=st.sampled_from(SmartEncoding),
    first_names=st.lists(NAMES, min_size=1, max_size=5),
)
def test_a_forecast_is_what_the_texts_will_take(
    text: str, smart: SmartEncoding, first_names: list[str | None]
) -> None:
    """Counting by merge values equals measuring every rendered text with its own links."""
    content = CampaignContent("Sale", "{{firstName|dear}} " + text.replace("{", ""))
    plan = plan_of(content, store(smart_encoding=smart), policy())
    groups = [MergeGroup(2, name, None, None, 3) for name in first_names]

    found = forecast(plan, groups, 1_000)

    links = policy().links
    parts = [
        measure(
            compiled(plan).render(
                name,
                None,
                None,
                links.offer_link(CODES.tracking_id(number)),
                links.opt_out_link(CODES.opt_out_code(number)),
            )
        ).parts
        for number, name in enumerate(first_names)
    ]
    assert found.parts == 3 * sum(parts)
    assert found.credits == 2 * found.parts
    assert found.recipients == 3 * len(first_names)
    assert found.longest_parts == max(parts)


def test_a_preview_shows_the_first_texts_with_and_without_their_lines() -> None:
    world = memory_world()
    account = shop(world)
    people(world, account, 12, first_name="Ana")
    campaign = written(world, account, "Hello {{firstName}}")
    preview = PreviewCampaign(world.transactions, world.audience_queries, world.clock, policy())

    total, samples = preview(account, campaign.id)

    assert (total, len(samples)) == (12, 10)
    assert samples[0].text == "Hello Ana"
    assert samples[0].full_text == "Hello Ana\nStop: https://shop.example/u/AAAAAAAAAAA"
    assert (samples[0].size, samples[0].credits) == (measure(samples[0].full_text), 1)
