import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.links.codes import OptOutToken, issue_token, read_token

SECRET = b"the secret of the older back end"
NOW = datetime(2026, 11, 24, 1, 57, 11, 601_000, tzinfo=UTC)
TOKEN = OptOutToken(ContactId(77), AccountId(5), CampaignId(31))


def signed(payload: bytes, secret: bytes = SECRET) -> str:
    """As the older back end signed."""
    signature = hmac.new(secret, payload, hashlib.sha256).digest()
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, signature))


def claims(**changes: object) -> bytes:
    exp = int(NOW.timestamp() * 1000) + 1000
    fields = {"contactId": 77, "storeId": 5, "campaignId": 31, "exp": exp, **changes}
    return json.dumps(fields, separators=(",", ":")).encode()


def test_a_token_is_made_byte_for_byte_as_before() -> None:
    text = issue_token(TOKEN, SECRET, NOW)

    assert text == signed(b'{"contactId":77,"storeId":5,"campaignId":31,"exp":1827021431601}')
    assert "=" not in text


def test_a_token_of_no_campaign_carries_null() -> None:
    text = issue_token(OptOutToken(ContactId(1), AccountId(2), None), SECRET, NOW)
    payload = text.partition(".")[0]

    assert b'"campaignId":null' in urlsafe_b64decode(payload + "==")
    assert read_token(text, SECRET, NOW) == OptOutToken(ContactId(1), AccountId(2), None)


def test_a_token_of_the_older_back_end_is_accepted() -> None:
    assert read_token(signed(claims()), SECRET, NOW) == TOKEN


def test_a_token_is_valid_for_a_year() -> None:
    text = issue_token(TOKEN, SECRET, NOW)

    assert read_token(text, SECRET, NOW + timedelta(days=364)) == TOKEN
    assert read_token(text, SECRET, NOW + timedelta(days=365)) is None


@pytest.mark.parametrize(
    "payload",
    [
        claims(exp=int(NOW.timestamp() * 1000)),
        claims(exp=None),
        claims(exp="9999999999999"),
        claims(exp=True),
        claims(contactId=None),
        claims(contactId=0),
        claims(contactId="77"),
        claims(contactId=True),
        claims(storeId=None),
        claims(storeId=-5),
        claims(contactId=2**31),
        claims(campaignId="31"),
        claims(campaignId=0),
        b"[]",
        b"null",
        b"not json",
        b"\xff\xfe",
        b"",
    ],
)
def test_a_signed_text_that_claims_nothing_useful_is_refused(payload: bytes) -> None:
    assert read_token(signed(payload), SECRET, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a",
        "a.b",
        "a.b.c",
        "é.é",
        signed(claims(), b"another secret"),
        signed(claims()) + "A",
        signed(claims()) + "=",
        "A" + signed(claims()),
        signed(claims()).replace(".", ""),
        "A" * 100_000,
    ],
)
def test_what_we_did_not_sign_is_refused(text: str) -> None:
    assert read_token(text, SECRET, NOW) is None


def test_signature_and_payload_of_two_tokens_do_not_mix() -> None:
    one, other = signed(claims()), signed(claims(contactId=78))

    assert read_token(f"{other.split('.')[0]}.{one.split('.')[1]}", SECRET, NOW) is None
