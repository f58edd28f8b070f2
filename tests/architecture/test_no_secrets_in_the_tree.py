"""Nothing that opens a door lies in the tree: keys, tokens, passwords, or what looks like one."""

import base64
import math
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.tree import ROOT

LOCK_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")
"""What pip compares downloads with: public by nature."""

KNOWN: Final = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "key of Stripe": re.compile(r"\b(?:[sr]k_(?:live|test)|whsec)_\w{8,}"),
    "token of GitHub": re.compile(r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{20,})"),
    "token of Slack": re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    "key of Google": re.compile(r"\bAIza[\w-]{35}"),
    "API key of ours": re.compile(r"\brsk_[\w-]{8}_[\w-]{43}"),
    "signed token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),
    "bcrypt hash": re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"),
    "password in an address": re.compile(
        r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}]+:[^\s/@'\"{}*$]{6,}@"
    ),
}
CANDIDATE: Final = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
HEX: Final = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
BITS_MIN: Final = 4.0
HEX_BITS_MIN: Final = 3.0
CHANGES_MIN: Final = 4
WORD_CHARACTERS_MAX: Final = 8
PIECE_CHARACTERS_MIN: Final = 24
BINARY: Final = frozenset({".png", ".ico", ".woff2", ".xlsx", ".gz"})

ALLOWED: Final = {
    "scheme://user:password@": "says in a comment what is hidden",
    "ftp://u:hunter2@": "a bad setting whose password must not be told",
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60": "RFC 8032: seed 1",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a": "RFC 8032: public key 1",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155": "RFC 8032: signature 1, R",
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b": "RFC 8032: signature 1, S",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb": "RFC 8032: seed 2",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c": "RFC 8032: public key 2",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da": "RFC 8032: signature 2, R",
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00": "RFC 8032: signature 2, S",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7": "RFC 8032: seed 3",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025": "RFC 8032: public key 3",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac": "RFC 8032: signature 3, R",
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a": "RFC 8032: signature 3, S",
}
"""Each with its reason."""


def bits_per_character(text: str) -> float:
    """Shannon's entropy: English has about 4 in long texts, chance in base64 nearly 6."""
    return -sum(
        count / len(text) * math.log2(count / len(text)) for count in Counter(text).values()
    )


def looks_random(text: str) -> bool:
    """Whether somebody rolled dice for it: letters and digits mixed, and no words between."""
    if HEX.fullmatch(text):
        return bits_per_character(text) >= HEX_BITS_MIN
    changes = len(re.findall(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]", text))
    if changes < CHANGES_MIN or bits_per_character(text) < BITS_MIN:
        return False
    longest_word = max(map(len, re.findall(r"[A-Za-z][a-z]+", text)), default=0)
    in_one_piece = max(map(len, re.split(r"[+/_=-]", text))) >= PIECE_CHARACTERS_MIN
    return in_one_piece or longest_word <= WORD_CHARACTERS_MAX


def findings(line: str) -> Iterator[tuple[str, str]]:
    """What is suspicious in a line: a name for it, and the text."""
    line = LOCK_HASH.sub("", line)
    for name, pattern in KNOWN.items():
        yield from ((name, found[0]) for found in pattern.finditer(line))
    for found in CANDIDATE.finditer(line):
        if looks_random(found[0]):
            yield "looks random", found[0]


def tracked_lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file that is in the tree: where it is, and what it says."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in BINARY or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{name}:{number}", line


def test_no_secret_lies_in_the_tree() -> None:
    found = [
        f"{place}: {name}: {text}"
        for place, line in tracked_lines()
        for name, text in findings(line)
        if text not in ALLOWED
    ]

    assert found == []


SAMPLES = {
    "private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "key of AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "key of Stripe": "sk_" + "live_4eC39HqLyjWDarjtT1",
    "token of GitHub": "ghp_" + "a1" * 18,
    "token of Slack": "xoxb-" + "123456789012-abcdef",
    "key of Google": "AIza" + "a1B2c" * 7,
    "API key of ours": "rsk_" + "a" * 8 + "_" + "b" * 43,
    "signed token": "eyJ" + "hbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4",
    "bcrypt hash": "$2b" + "$12$" + "a" * 53,
    "password in an address": "postgresql://shop:" + "hunter22@db/shop",
}


def test_every_known_kind_of_secret_is_found() -> None:
    assert SAMPLES.keys() == KNOWN.keys()
    for name, sample in SAMPLES.items():
        assert name in [found for found, _ in findings(f'KEY = "{sample}"  # what')]


@pytest.mark.parametrize("kind", ["hex", "base64", "urlsafe", "base32"])
def test_what_was_made_by_chance_is_found_and_what_people_write_is_not(
    kind: str, rng: random.Random
) -> None:
    def made() -> str:
        raw = rng.randbytes(32)
        coders = {
            "hex": raw.hex().encode(),
            "base64": base64.b64encode(raw),
            "urlsafe": base64.urlsafe_b64encode(raw).rstrip(b"="),
            "base32": base64.b32encode(raw).lower().rstrip(b"="),
        }
        return coders[kind].decode()

    caught = sum(looks_random(made()) for _ in range(200))

    assert caught >= 185
    for written in ("test_a_password_hash_is_replaced_2", "d3b07384-d9a0-4c9b-8f3e-5f2d1c7a9e11"):
        assert not looks_random(written)


def test_every_exception_is_still_needed() -> None:
    used = {text for _, line in tracked_lines() for _, text in findings(line)}

    assert sorted(ALLOWED.keys() - used) == []
