"""Reading the texts that the gateway tells of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters_sms.inbound import TEXT_CHARACTERS_MAX, MittoInboundReader
from retail_core.engagement.model import InboundText
from retail_core.engagement.ports import InboundReader
from tests.contracts.engagement.inbound_reader import JSON, InboundReaderContract

NAMES = ("from", "msisdn", "sender", "text", "message", "to", "destination", "receiver", "id")


def read(fields: Any) -> InboundText:
    return MittoInboundReader().read(json.dumps(fields).encode())


class TestMittoInboundReader(InboundReaderContract):
    def reader(self) -> InboundReader:
        return MittoInboundReader()

    def written(self, text: InboundText) -> bytes:
        fields = {
            "from": text.sender,
            "to": text.receiver,
            "text": text.text,
            "messageId": text.message_id,
            "timestamp": text.told_at,
        }
        return json.dumps(fields).encode()


@pytest.mark.parametrize("name", ["from", "msisdn", "sender"])
def test_the_sender_has_several_names(name: str) -> None:
    assert read({name: 306984303406}).sender == "306984303406"


@pytest.mark.parametrize("name", ["text", "message"])
def test_the_text_has_several_names(name: str) -> None:
    assert read({name: " STOP\n"}).text == "STOP"


@pytest.mark.parametrize("name", ["to", "destination", "receiver"])
def test_the_receiver_has_several_names(name: str) -> None:
    assert read({name: "Shop"}).receiver == "Shop"


def test_the_first_name_that_says_something_counts() -> None:
    text = read({"from": "", "msisdn": "1", "sender": "2", "text": None, "message": "x"})

    assert (text.sender, text.text) == ("1", "x")


def test_a_line_break_stays_a_gap_between_words() -> None:
    assert read({"text": "STOP\nplease\x00now"}).text == "STOP please now"


def test_what_is_too_long_is_cut() -> None:
    assert len(read({"text": "x" * 20_000}).text) == TEXT_CHARACTERS_MAX


@given(fields=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_values_can_be_read_and_stored(fields: dict[str, Any]) -> None:
    text = read(fields)

    for value in (text.sender, text.receiver, text.text, text.told_at, text.message_id or ""):
        assert "\x00" not in value
        assert value.encode().decode() == value
