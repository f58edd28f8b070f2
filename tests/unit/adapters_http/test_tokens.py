"""Exchanging the secret that signs access tokens."""

import base64
import hmac
import json
from datetime import timedelta

import attrs
import jwt
import pytest

from adapters_http.security.tokens import JwtAccessTokens, key_id
from retail_core.accounts.model import AccessClaims, Account, Locale
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.testing.kernel.clock import NOON

OLD, NEW = SecretText("the old secret, which is long enough"), SecretText("the new one " * 4)
SHOP = Account(
    id=AccountId(2),
    email="a@shop.example",
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


@pytest.fixture
def old() -> JwtAccessTokens:
    return JwtAccessTokens(OLD, None, timedelta(minutes=15))


def test_tokens_of_the_secret_before_are_still_read(old: JwtAccessTokens) -> None:
    token = old.issue(SHOP, SessionId(3), NOON)

    both = JwtAccessTokens(NEW, OLD, timedelta(minutes=15))

    assert both.read(token, NOON) == AccessClaims(AccountId(2), SessionId(3))
    assert both.issue(SHOP, SessionId(3), NOON) != token


def test_tokens_of_a_dropped_secret_are_refused(old: JwtAccessTokens) -> None:
    token = old.issue(SHOP, SessionId(3), NOON)

    with pytest.raises(Unauthenticated):
        attrs.evolve(old, secret=NEW).read(token, NOON)


@pytest.mark.parametrize("claim", ["sub", "sid", "iss", "aud", "iat", "exp"])
def test_a_token_that_leaves_something_out_is_refused(old: JwtAccessTokens, claim: str) -> None:
    token = old.issue(SHOP, SessionId(3), NOON)
    claims = jwt.decode(token, options={"verify_signature": False})
    del claims[claim]

    shorter = jwt.encode(claims, OLD.reveal(), "HS256", headers={"kid": key_id(OLD)})

    with pytest.raises(Unauthenticated):
        old.read(shorter, NOON)


@pytest.mark.parametrize("kid", [None, "", 5, ["x"], {"x": 1}])
def test_a_token_names_its_key(old: JwtAccessTokens, kid: object) -> None:
    claims = jwt.decode(old.issue(SHOP, SessionId(3), NOON), options={"verify_signature": False})
    header = {"alg": "HS256", "typ": "JWT"} | ({} if kid is None else {"kid": kid})
    signed = f"{encoded(header)}.{encoded(claims)}"
    mac = hmac.digest(OLD.reveal_bytes(), signed.encode(), "sha256")

    with pytest.raises(Unauthenticated):
        old.read(f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}", NOON)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_the_name_of_a_key_tells_nothing_about_it() -> None:
    assert key_id(OLD) != key_id(NEW)
    assert key_id(OLD) not in OLD.reveal()
