"""Texts are made from what was frozen: the same byte for byte whenever they are made again."""

import pytest

from retail_core.messages.composing import text_of
from tests.contracts.staging import CODES, change, messages, people, shop, started
from tests.contracts.worlds import memory_world
from tests.pipeline import Pipeline


@pytest.mark.parametrize(
    "text", ["Γεια", "{{firstName|φίλε}} {{last_name}} {{email}} {{offerUrl}}"]
)
def test_the_log_shows_what_was_sent_whatever_changed_since(text: str) -> None:
    world = memory_world()
    account = shop(world)
    for name in ("Άννα", None, " ", "100% {{email}}"):
        people(world, account, 1, first_name=name, last_name="O'Neil", email="a@example.com")
    (later,) = people(world, account, 1, first_name="Ana")
    campaign = started(world, account, text)
    plan = campaign.plan
    assert plan is not None
    change(world, account, later, first_name="Anastasia")
    line = Pipeline.over(world)

    line.dispatch_all()

    shown = {
        row.number: text_of(plan, CODES, row.number, row.first_name, row.last_name, row.email)
        for row in messages(world, campaign)
    }
    assert shown == {message.number: message.text for message in line.gateway.accepted}
