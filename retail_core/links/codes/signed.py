"""The signed opt-out token that older messages carry; accepted for ever, byte for byte.

`base64url(json) + "." + base64url(HMAC-SHA256(json))`, without padding. The JSON is compact, with
the keys contactId, storeId, campaignId (or null) and exp (milliseconds since 1970), in this order.
"""

import binascii
import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from retail_core.kernel.ids import ID_MAX, AccountId, CampaignId, ContactId

TOKEN_LENGTH_MAX: Final = 512
TOKEN_LIFETIME: Final = timedelta(days=365)

_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@attrs.frozen
class OptOutToken:
    """Who may opt out of which store, and because of which campaign.

    That contact and store belong together is for the caller to check.
    """

    contact: ContactId
    store: AccountId
    campaign: CampaignId | None


def issue_token(token: OptOutToken, secret: bytes, now: datetime) -> str:
    """Sign a token that is valid for a year."""
    claims = {
        "contactId": token.contact,
        "storeId": token.store,
        "campaignId": token.campaign,
        "exp": _milliseconds(now + TOKEN_LIFETIME),
    }
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return f"{_encoded(payload)}.{_encoded(_signature(payload, secret))}"


def read_token(text: str, secret: bytes, now: datetime) -> OptOutToken | None:
    """The token in a text; None if the text is not one, was not signed by us, or is over."""
    found = _TOKEN.fullmatch(text) if len(text) <= TOKEN_LENGTH_MAX else None
    if found is None:
        return None
    payload, signature = _decoded(found[1]), _decoded(found[2])
    if payload is None or signature is None:
        return None
    if not hmac.compare_digest(signature, _signature(payload, secret)):
        return None
    return _claimed(payload, now)


def _claimed(payload: bytes, now: datetime) -> OptOutToken | None:
    try:
        claims = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(claims, dict):
        return None
    contact, store = _id(claims.get("contactId")), _id(claims.get("storeId"))
    campaign = claims.get("campaignId")
    if contact is None or store is None or not _is_later(claims.get("exp"), now):
        return None
    if campaign is not None and _id(campaign) is None:
        return None
    return OptOutToken(
        ContactId(contact), AccountId(store), None if campaign is None else CampaignId(campaign)
    )


def _id(value: object) -> int | None:
    # JSON's true is an int to Python, and true is nobody's id.
    return value if type(value) is int and 0 < value <= ID_MAX else None


def _is_later(exp: object, now: datetime) -> bool:
    return type(exp) is int and exp > _milliseconds(now)


def _signature(payload: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, payload, hashlib.sha256)


def _milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MILLISECOND


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
