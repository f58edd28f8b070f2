"""The stand-alone check of proofs: it runs with nothing installed and finds every change."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters_http.security.proof_keys import ProofKeys, ProofSigner, canonical
from examples import verify_consent_proof as checking

SCRIPT = Path(checking.__file__)
SIGNER = ProofSigner(ProofKeys(bytes(range(32))))
[PUBLIC] = SIGNER.public_keys()
KEYS = checking._keys_of(json.dumps({"keys": [PUBLIC]}).encode())


def event(number: int, kind: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "id": number,
        "contactId": 12,
        "type": kind,
        "channel": "sms",
        "purpose": "marketing",
        "source": "nfc",
        "sourceRef": "tag:3",
        "consentText": 'Συμφωνώ να λαμβάνω "SMS"\n\u2028\x7f😀',
        "consentTextVersion": 2,
        "statement": None,
        "ip": "203.0.113.7",
        "userAgent": "Mozilla/5.0",
        "locale": "el",
        "actorUserId": None,
        "occurredAt": f"2026-11-24T01:57:1{number}.601Z",
        "createdAt": f"2026-11-24T01:57:1{number}.602Z",
    }
    return plain | changes


def document(**changes: Any) -> dict[str, Any]:
    plain = {
        "format": "consent-proof/1",
        "issuedAt": "2026-11-25T00:00:00.000Z",
        "keyId": SIGNER.key_id,
        "store": {"id": 2, "company": "Shop", "senderName": None},
        "contact": {"id": 12, "phone": "+306900000001", "isSubscribed": True},
        "state": {"consent": "given", "eventId": 2, "since": "2026-11-24T01:57:12.601Z"},
        "events": [event(1, "requested"), event(2, "confirmed"), event(3, "requested")],
    }
    return plain | changes


def signed(content: dict[str, Any]) -> bytes:
    return canonical({**content, "signature": SIGNER.sign(canonical(content))})


GOOD = signed(document())


def test_a_proof_holds_and_its_history_is_told(tmp_path: Path) -> None:
    proof, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    proof.write_bytes(GOOD)
    keys.write_text(json.dumps({"keys": [PUBLIC]}))

    for key in (["--keys", str(keys)], ["--key", PUBLIC["x"]], ["--key", KEYS[0].hex()]):
        done = run(str(proof), *key)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "The proof holds." in done.stdout
        assert "number +306900000001" in done.stdout
        assert "Consent: given, since 2026-11-24T01:57:12.601Z" in done.stdout
        assert "2026-11-24T01:57:11.601Z  requested (nfc)" in done.stdout
        assert "Συμφωνώ να λαμβάνω" in done.stdout


def test_a_changed_file_and_a_wrong_call_end_with_different_codes(tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    proof.write_bytes(GOOD.replace(b"+306900000001", b"+306900000002"))

    changed = run(str(proof), "--key", PUBLIC["x"])

    assert (changed.returncode, changed.stdout[:7]) == (1, "REFUSED")
    assert run(str(proof)).returncode == 2
    assert run(str(tmp_path / "none"), "--key", PUBLIC["x"]).returncode == 2
    assert run(str(proof), "--key", "no key").returncode == 2
    assert run(str(proof), "--keys", str(proof)).returncode == 2


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Isolated: without this tree and without installed packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", str(SCRIPT), *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@settings(deadline=None, max_examples=300)
@given(place=st.integers(0, len(GOOD) - 1), other=st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, other: int) -> None:
    changed = bytearray(GOOD)
    changed[place] ^= other

    with pytest.raises(checking.Refused):
        checking.verified(bytes(changed), KEYS)


@settings(deadline=None, max_examples=100)
@given(place=st.integers(0, len(GOOD)), piece=st.binary(max_size=3), cut=st.integers(0, 3))
def test_anything_put_in_or_cut_out_is_found(place: int, piece: bytes, cut: int) -> None:
    changed = GOOD[:place] + piece + GOOD[place + cut :]

    if changed != GOOD:
        with pytest.raises(checking.Refused):
            checking.verified(changed, KEYS)


def fields_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(each for key in value for each in fields_of(value[key], (*path, key)))]
    if isinstance(value, list):
        items = enumerate(value)
        return [path, *(each for no, item in items for each in fields_of(item, (*path, no)))]
    return [path]


@pytest.mark.parametrize("path", fields_of(document())[1:], ids=str)
@pytest.mark.parametrize("removed", [False, True])
def test_any_field_that_says_something_else_or_nothing_is_found(
    path: tuple[Any, ...], *, removed: bool
) -> None:
    changed = json.loads(GOOD)
    *steps, last = path
    inside = changed
    for step in steps:
        inside = inside[step]
    if removed:
        del inside[last]
    else:
        inside[last] = "something else" if inside[last] != "something else" else None

    with pytest.raises(checking.Refused):
        checking.verified(canonical(changed), KEYS)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"signature":1}',
        b'{"a":' + b"[" * 100_000,
        GOOD + b"\n",
        b"\xef\xbb\xbf" + GOOD,
        json.dumps(json.loads(GOOD), indent=2).encode(),
        GOOD[:-1] + b',"signature":"x"}',
        GOOD.replace(b'"id":12', b'"id":12.0', 1),
        b'{"a":"\\ud800","signature":"x"}',
    ],
)
def test_what_is_no_proof_as_it_was_issued_is_refused(given: bytes) -> None:
    with pytest.raises(checking.Refused):
        checking.verified(given, KEYS)


def test_a_proof_of_another_key_or_format_is_refused() -> None:
    other = ProofSigner(ProofKeys(bytes(32)))
    others = checking._keys_of(json.dumps({"keys": other.public_keys()}).encode())

    with pytest.raises(checking.Refused, match="not among those given"):
        checking.verified(GOOD, others)
    with pytest.raises(checking.Refused, match="format"):
        checking.verified(signed(document(format="consent-proof/2")), KEYS)
    assert checking.verified(GOOD, [*others, *KEYS])["contact"]["id"] == 12


def test_a_state_that_the_history_does_not_come_to_is_refused() -> None:
    state = {"consent": "withdrawn", "eventId": 2, "since": "2026-11-24T01:57:12.601Z"}

    with pytest.raises(checking.Refused, match="history"):
        checking.verified(signed(document(state=state)), KEYS)


def test_a_contact_without_any_event_can_be_proven_to_have_none() -> None:
    state = {"consent": "none", "eventId": None, "since": None}

    assert checking.verified(signed(document(events=[], state=state)), KEYS)["events"] == []


def test_a_signature_is_spelled_in_one_way_only() -> None:
    content = json.loads(GOOD)
    raw = checking._bytes(content["signature"])
    larger = int.from_bytes(raw[32:], "little") + checking.ORDER
    twin = raw[:32] + larger.to_bytes(32, "little")

    assert not checking.is_signed(KEYS[0], canonical(document()), twin)
    assert checking.is_signed(KEYS[0], canonical(document()), raw)
