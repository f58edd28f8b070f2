"""Check a proof of consent without a network, an account or an installed package.

    python verify_consent_proof.py PROOF.json --keys KEYS.json
    python verify_consent_proof.py PROOF.json --key PUBLIC_KEY

PROOF.json is what `GET /api/contacts/:id/consent-proof` gave, byte for byte. KEYS.json is what
`GET /.well-known/consent-proof-keys` gave; take it once, from the operator, and keep it. A single
public key may be given instead, in base64url or hexadecimal.

Prints the history and ends with 0 if the proof holds, with 1 if it does not, with 2 if it was
called wrongly. The signature is Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of all of the
proof but the signature itself. The file must be in that form too, so any changed byte is found.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

FORMAT = "consent-proof/1"
FILE_BYTES_MAX = 50_000_000
DECIDES = {"granted": "given", "confirmed": "given", "withdrawn": "withdrawn"}

PRIME = 2**255 - 19
ORDER = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
CURVE = -121_665 * pow(121_666, -1, PRIME) % PRIME
Point = tuple[int, int, int, int]


class Refused(Exception):
    """The proof does not hold; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Check a proof of consent, offline.")
    parser.add_argument("proof", type=Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--keys", type=Path, help="the file of /.well-known/consent-proof-keys")
    which.add_argument("--key", help="one public key, in base64url or hexadecimal")
    words = parser.parse_args(arguments)
    try:
        given = words.proof.read_bytes()
        keys = [_bytes(words.key)] if words.key else _keys_of(words.keys.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        parser.error(str(error))
    try:
        proof = verified(given, keys)
    except Refused as fault:
        print(f"REFUSED: {fault}")
        return 1
    print("\n".join(told(proof)))
    return 0


def verified(given: bytes, keys: Sequence[bytes]) -> Mapping[str, Any]:
    """The proof in these bytes, which one of the public keys fits. Raises `Refused`."""
    proof = _read(given)
    signature = proof.pop("signature", None)
    signed = canonical(proof)
    if not isinstance(signature, str):
        raise Refused("it has no signature")
    if canonical({**proof, "signature": signature}) != given:
        raise Refused("it is not written in the canonical form, so it was changed")
    if proof.get("format") != FORMAT:
        raise Refused(f"it is not of the format {FORMAT}")
    fitting = [key for key in keys if key_id(key) == proof.get("keyId")]
    if not fitting:
        raise Refused(f"the key {proof.get('keyId')!r} is not among those given")
    try:
        raw = _bytes(signature)
    except ValueError:
        raw = b""
    if spelled(raw) != signature or not is_signed(fitting[0], signed, raw):
        raise Refused("the signature does not fit: something was changed")
    _must_agree(proof)
    return proof


def told(proof: Mapping[str, Any]) -> Sequence[str]:
    """The proof in words, a line each."""
    store, contact, state = proof["store"], proof["contact"], proof["state"]
    names = ", ".join(filter(None, (store["company"], store["senderName"])))
    lines = [
        f"The proof holds. It was issued {proof['issuedAt']} with the key {proof['keyId']}.",
        (
            f"Store {store['id']} ({names or 'without a name'}), contact {contact['id']}, "
            f"number {contact['phone']}"
        ),
        f"Consent: {state['consent']}" + (f", since {state['since']}" if state["since"] else ""),
        f"History of {len(proof['events'])} events:",
    ]
    for event in proof["events"]:
        lines.append(f"  {event['occurredAt']}  {event['type']} ({event['source']})")
        lines += [
            f"      {name}: {event[key]!r}"
            for name, key in (
                ("text shown", "consentText"),
                ("version of the text", "consentTextVersion"),
                ("language", "locale"),
                ("stated source", "statement"),
                ("came from", "sourceRef"),
                ("address", "ip"),
                ("browser", "userAgent"),
                ("user", "actorUserId"),
            )
            if event[key] is not None
        ]
    return lines


def _read(given: bytes) -> dict[str, Any]:
    if len(given) > FILE_BYTES_MAX:
        raise Refused(f"it is larger than {FILE_BYTES_MAX} bytes")
    try:
        proof = json.loads(given.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Refused("it is not JSON as it is written in proofs") from None
    if not isinstance(proof, dict):
        raise Refused("it is not a JSON object")
    return proof


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def canonical(document: Mapping[str, Any]) -> bytes:
    """RFC 8785 for what proofs hold: sorted keys, no blanks, UTF-8, whole numbers only."""
    try:
        return json.dumps(
            document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        ).encode()
    except (ValueError, RecursionError):
        raise Refused("it holds what cannot be written as JSON") from None


def _must_agree(proof: Mapping[str, Any]) -> None:
    """The state must be what the events come to: the last that decides anything counts."""
    deciding = [event for event in proof["events"] if event["type"] in DECIDES]
    last = deciding[-1] if deciding else None
    expected = {
        "consent": DECIDES[last["type"]] if last else "none",
        "eventId": last and last["id"],
        "since": last and last["occurredAt"],
    }
    if proof["state"] != expected:
        raise Refused("its state is not what its history comes to")


def _keys_of(given: bytes) -> list[bytes]:
    """The public keys of a JSON Web Key Set."""
    return [_bytes(key["x"]) for key in json.loads(given)["keys"] if key["crv"] == "Ed25519"]


def key_id(public: bytes) -> str:
    """A key's fingerprint: the thumbprint of RFC 7638."""
    fingerprint = canonical({"crv": "Ed25519", "kty": "OKP", "x": spelled(public)})
    return spelled(hashlib.sha256(fingerprint).digest())


def spelled(raw: bytes) -> str:
    """Bytes in base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Bytes in hexadecimal (a public key) or base64url. Raises ValueError."""
    if len(text) == 64:  # noqa: PLR2004 - 32 bytes
        return bytes.fromhex(text)
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is that of a message under a public key (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:  # noqa: PLR2004 - the standard's sizes
        return False
    scalar = int.from_bytes(signature[32:], "little")
    key = _point(public)
    if key is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    minus_key = (PRIME - key[0], key[1], key[2], PRIME - key[3])
    expected = _sum(_times(scalar, BASE), _times(challenge, minus_key))
    return _spelled_point(expected) == signature[:32]


def _sum(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % PRIME
    c = 2 * one[3] * other[3] * CURVE % PRIME
    d = 2 * one[2] * other[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME)


def _times(factor: int, point: Point) -> Point:
    result = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        factor >>= 1
    return result


def _point(spelled_out: bytes) -> Point | None:
    """The point of 32 bytes; None if they spell none, or spell it in another way than the one."""
    number = int.from_bytes(spelled_out, "little")
    y, is_odd = number & (1 << 255) - 1, number >> 255
    if y >= PRIME:
        return None
    square = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != square:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if root * root % PRIME != square or (root == 0 and is_odd):
        return None
    x = root if root & 1 == is_odd else PRIME - root
    return (x, y, 1, x * y % PRIME)


def _spelled_point(point: Point) -> bytes:
    inverse = pow(point[2], -1, PRIME)
    x, y = point[0] * inverse % PRIME, point[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


_base = _point((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))
assert _base is not None
BASE: Point = _base

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
