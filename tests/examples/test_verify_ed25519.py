"""The check that the stand-alone script carries, held against the library that signs."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import verify_consent_proof as checking

# The first three of RFC 8032, 7.1: seed, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_it_knows_the_signatures_that_the_standard_shows(
    seed: str, public: str, message: str, signature: str
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))

    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert checking.is_signed(
        bytes.fromhex(public), bytes.fromhex(message), key.sign(bytes.fromhex(message))
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=200),
    place=st.integers(0, 511),
)
def test_what_was_signed_is_found_to_be_and_nothing_else(
    seed: bytes, message: bytes, place: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    signature = key.sign(message)
    wrong = bytearray(signature)
    wrong[place // 8] ^= 1 << place % 8

    assert checking.is_signed(public, message, signature)
    assert not checking.is_signed(public, message + b"x", signature)
    assert not checking.is_signed(public, message, bytes(wrong))


@pytest.mark.parametrize(
    "public",
    [
        bytes(31),
        b"\xff" * 32,  # y beyond the prime
        (2).to_bytes(32, "little"),  # y of no point
        (1 | 1 << 255).to_bytes(32, "little"),  # x of zero with a sign
    ],
)
def test_what_is_no_point_is_no_key(public: bytes) -> None:
    assert not checking.is_signed(public, b"", bytes(64))
