"""The key that proofs of consent are signed with, and what is written so that it can be checked."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final, TypedDict

import attrs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import Env

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
_LABEL: Final = b"consent proof"


class PublicKey(TypedDict):
    """A public key as a JSON Web Key (RFC 8037)."""

    kty: str
    crv: str
    alg: str
    use: str
    kid: str
    x: str


@attrs.frozen
class ProofKeys:
    """The seed of the key in use, and the public keys of those that were in use before it."""

    seed: bytes = attrs.field(repr=False)
    previous: tuple[bytes, ...] = ()

    @classmethod
    def derived(cls, unsubscribe_secret: bytes) -> "ProofKeys":
        """The key of deployments that set none of its own."""
        return cls(hmac.new(unsubscribe_secret, _LABEL, hashlib.sha256).digest())

    @classmethod
    def read(cls, env: Env) -> "ProofKeys":
        """Take the variables; problems are collected by `env`."""
        name = "CONSENT_PROOF_KEY"
        keys = cls.derived(env.secret("UNSUBSCRIBE_TOKEN_SECRET").reveal_bytes())
        if env.given(name):
            keys = cls(_seed(env, name, env.secret(name)))
        return attrs.evolve(keys, previous=_previous(env))


@attrs.frozen
class ProofSigner:
    """Signs with the key in use, and shows all public keys."""

    keys: ProofKeys
    _key: Ed25519PrivateKey = attrs.field(init=False, repr=False)

    @_key.default
    def _make_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.keys.seed)

    @property
    def public(self) -> bytes:
        """What signatures of now are checked with."""
        return self._key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """Which of the public keys fits."""
        return key_id(self.public)

    def sign(self, message: bytes) -> str:
        """The signature (Ed25519, RFC 8032), in base64url; the same message gives the same."""
        return spelled(self._key.sign(message))

    def public_keys(self) -> list[PublicKey]:
        """The one in use first."""
        found = dict.fromkeys((self.public, *self.keys.previous))
        return [_shown(public) for public in found]


def canonical(document: Mapping[str, object]) -> bytes:
    """The one way to write plain JSON values without fractions (RFC 8785)."""
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def key_id(public: bytes) -> str:
    """A key's fingerprint: the thumbprint of RFC 7638."""
    fingerprint = canonical({"crv": "Ed25519", "kty": "OKP", "x": spelled(public)})
    return spelled(hashlib.sha256(fingerprint).digest())


def spelled(raw: bytes) -> str:
    """Bytes in base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _shown(public: bytes) -> PublicKey:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key_id(public),
        "x": spelled(public),
    }


def _seed(env: Env, name: str, given: SecretText) -> bytes:
    try:
        return _bytes_of(given.reveal(), SEED_BYTES)
    except ValueError as fault:
        env.problem(name, str(fault))
        return bytes(SEED_BYTES)


def _previous(env: Env) -> tuple[bytes, ...]:
    name = "CONSENT_PROOF_PREVIOUS_KEYS"
    try:
        return tuple(_bytes_of(text, PUBLIC_BYTES) for text in env.csv(name))
    except ValueError as fault:
        env.problem(name, str(fault))
        return ()


def _bytes_of(text: str, size: int) -> bytes:
    """So many bytes written in hexadecimal, base64 or base64url. Raises ValueError."""
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        plain = text.rstrip("=").translate(str.maketrans("-_", "+/"))
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != size:
        raise ValueError(f"is not {size} bytes in hexadecimal or base64")
    return raw
