"""Signed proofs of consent, and the keys to check them (in the style of docs/api.md, 3.2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypedDict

import attrs
import orjson

from adapters_http.resources.contacts.export import EXPORT_LIMITS
from adapters_http.resources.contacts.shapes import Consent, consent_shape
from adapters_http.security.proof_keys import ProofSigner, PublicKey, canonical
from adapters_http.web import replies, values
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.accounts.queries import AccountQueries
from retail_core.contacts.model import ConsentState
from retail_core.contacts.use_cases import ConsentProof, ProveConsent
from retail_core.kernel.ids import AccountId, ContactId

FORMAT: Final = "consent-proof/1"


class ProvenContact(TypedDict):
    """Whom a proof is about."""

    id: int
    phone: str
    isSubscribed: bool


class ProvenStore(TypedDict):
    """To whom they spoke."""

    id: int
    company: str | None
    senderName: str | None


class ProvenState(TypedDict):
    """What the history comes to, and the event that it rests on."""

    consent: ConsentState
    eventId: int | None
    since: datetime | None


class ConsentProofShape(TypedDict):
    """A proof; the signature is over the canonical form of all the rest."""

    format: Literal["consent-proof/1"]
    issuedAt: datetime
    keyId: str
    store: ProvenStore
    contact: ProvenContact
    state: ProvenState
    events: list[Consent]
    signature: str


class PublicKeys(TypedDict):
    """The keys that proofs are checked with, the one in use first (RFC 7517)."""

    keys: list[PublicKey]


@attrs.frozen
class ContactConsentProof:
    """`/api/contacts/:id/consent-proof`."""

    prove: ProveConsent
    accounts: AccountQueries
    signer: ProofSigner

    def on_get(self, req: Request, resp: Response, contact_id: str) -> None:
        """Prove what somebody agreed to; who asks for the head alone is not noted."""
        wanted = ContactId(values.path_id(contact_id))
        proof = self.prove(req.account, wanted, is_handed_out=req.method != "HEAD")
        document = self._document(req.account, proof)
        signature = self.signer.sign(canonical(document))
        resp.content_type = replies.JSON
        resp.downloadable_as = f"consent-proof-{wanted}.json"
        resp.data = canonical({**document, "signature": signature})

    def _document(self, account: AccountId, proof: ConsentProof) -> Mapping[str, object]:
        """All but the signature, as plain JSON values."""
        store, rests_on = self.accounts.find(account), proof.consent.rests_on
        document: dict[str, object] = orjson.loads(
            replies.dumps(
                {
                    "format": FORMAT,
                    "issuedAt": proof.at,
                    "keyId": self.signer.key_id,
                    "store": {
                        "id": account,
                        "company": store and store.company,
                        "senderName": store and store.sender_name,
                    },
                    "contact": {
                        "id": proof.contact.id,
                        "phone": proof.contact.phone,
                        "isSubscribed": proof.contact.is_subscribed,
                    },
                    "state": {
                        "consent": proof.consent.state,
                        "eventId": rests_on and rests_on.id,
                        "since": rests_on and rests_on.at,
                    },
                    "events": [consent_shape(event) for event in proof.events],
                }
            )
        )
        return document


@attrs.frozen
class ConsentProofKeys:
    """`/.well-known/consent-proof-keys`."""

    signer: ProofSigner

    def on_get(self, _req: Request, resp: Response) -> None:
        """Show the public keys."""
        shown: PublicKeys = {"keys": self.signer.public_keys()}
        resp.media = shown


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/contacts/{contact_id}/consent-proof",
        resource=ContactConsentProof,
        access=Access.USER,
        scope="contacts:read",
        summary="Prove what a contact agreed to, with a signature",
        limits=EXPORT_LIMITS,
        reply=ConsentProofShape,
    ),
    Route(
        method="GET",
        path="/.well-known/consent-proof-keys",
        resource=ConsentProofKeys,
        access=Access.PUBLIC,
        summary="The public keys of proofs of consent",
        reply=PublicKeys,
    ),
)
