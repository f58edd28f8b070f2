"""Proofs of consent, checked as the person or the authority would check them: without us."""

import json
from typing import Any

import pytest
from falcon.testing import Result

from examples import verify_consent_proof as checking
from retail_core.contacts.model import ConsentFact, ConsentSource, ConsentType
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.ids import ContactId
from retail_core.kernel.ports import Transactions
from tests.http.api import Api, Shop, error_of
from tests.http.links import token_for
from tests.http.people import consents, create
from tests.http.whole.test_audit import of_contact


def proof_of(shop: Shop, contact: int) -> Result:
    reply = shop.get(f"/api/contacts/{contact}/consent-proof")
    assert reply.status_code == 200, reply.text
    return reply


def checked(shop: Shop, contact: int) -> Any:
    keys = shop.api.get("/.well-known/consent-proof-keys")
    return checking.verified(proof_of(shop, contact).content, checking._keys_of(keys.content))


@pytest.fixture
def named(api: Api) -> Shop:
    return api.sign_up(company="Café <Ω>", senderName="Cafe")


def test_all_that_is_known_of_a_consent_can_be_checked_without_us(named: Shop) -> None:
    contact = create(named, consentSource="paper form 2026 · «έντυπο»")
    token = token_for(named, contact["id"])
    client = {"User-Agent": "Mozilla/5.0 (test)"}
    named.api.post("/api/contacts/unsubscribe", {"token": token}, headers=client)
    named.api.post("/api/contacts/resubscribe", {"token": token}, headers=client)

    proof = checked(named, contact["id"])

    history = consents(named, contact["id"])[::-1]
    assert proof["events"] == history
    assert [each["type"] for each in history] == ["granted", "withdrawn", "granted"]
    assert (proof["store"], proof["contact"]) == (
        {"id": named.id, "company": "Café <Ω>", "senderName": "Cafe"},
        {"id": contact["id"], "phone": "+306984303406", "isSubscribed": True},
    )
    last = history[-1]
    assert proof["state"] == {
        "consent": "given",
        "eventId": last["id"],
        "since": last["occurredAt"],
    }
    assert proof["issuedAt"] == "2026-11-24T12:00:00.000Z"


def test_the_text_that_was_shown_and_its_version_are_proven(named: Shop) -> None:
    contact = create(named, isSubscribed=False)["id"]
    of: Any = Transactions
    transactions = named.api.container.resolve(of[ContactsUnitOfWork])
    with transactions.begin(named.id) as uow:
        fact = ConsentFact(
            contact=ContactId(contact),
            type=ConsentType.REQUESTED,
            source=ConsentSource.NFC,
            at=named.api.clock.now(),
            text="Συμφωνώ.",
            text_version=3,
            ip="203.0.113.7",
            user_agent="Phone",
            locale="el",
        )
        uow.consents.append(named.id, fact)

    proof = checked(named, contact)

    [event] = proof["events"]
    assert (event["consentText"], event["consentTextVersion"]) == ("Συμφωνώ.", 3)
    assert (event["ip"], event["userAgent"], event["locale"]) == ("203.0.113.7", "Phone", "el")
    assert proof["state"] == {"consent": "none", "eventId": None, "since": None}


def test_it_is_a_file_whose_taking_is_written_down(named: Shop) -> None:
    contact = create(named)["id"]

    head = named.ask("HEAD", f"/api/contacts/{contact}/consent-proof")
    before = of_contact(named, contact)
    reply = proof_of(named, contact)

    assert head.status_code == 200
    assert before == []
    assert of_contact(named, contact) == [("exported", {"consents": 1})]
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert f'filename="consent-proof-{contact}.json"' in reply.headers["Content-Disposition"]
    assert reply.content == checking.canonical(json.loads(reply.content))


def test_nobody_elses_contact_is_proven(named: Shop) -> None:
    other = named.api.sign_up()
    contact = create(other)["id"]

    assert error_of(named.get(f"/api/contacts/{contact}/consent-proof")) == (
        404,
        "RESOURCE_NOT_FOUND",
    )


def test_the_keys_are_public_and_hold_nothing_secret(api: Api) -> None:
    reply = api.get("/.well-known/consent-proof-keys")

    [key] = reply.json["keys"]
    assert key.keys() == {"kty", "crv", "alg", "use", "kid", "x"}
    assert checking.key_id(checking._bytes(key["x"])) == key["kid"]
