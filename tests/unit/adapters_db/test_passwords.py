"""Passwords by bcrypt: old hashes, long passwords, and nobody learns who has an account."""

import time

import bcrypt
import pytest

from adapters_db.accounts.passwords import BcryptPasswords


def seconds_of(passwords: BcryptPasswords, password_hash: str | None) -> float:
    began = time.perf_counter()
    passwords.verify("wrong password", password_hash)
    return time.perf_counter() - began


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_hashes_of_the_legacy_back_end_verify(prefix: str) -> None:
    made = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()

    passwords = BcryptPasswords(4)

    legacy = prefix + made[4:]
    assert passwords.verify("correct horse", legacy)
    assert not passwords.verify("correct horsE", legacy)
    assert passwords.is_outdated(legacy)


def test_legacy_hashes_are_of_the_first_72_bytes() -> None:
    long = "ω" * 50
    legacy = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()

    assert BcryptPasswords(4).verify(long, legacy)


def test_hashes_of_the_legacy_cost_verify_whatever_ours_is() -> None:
    legacy = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(12, prefix=b"2a")).decode()

    assert legacy.startswith("$2a$12$")
    assert BcryptPasswords(4).verify("correct horse", legacy)
    assert BcryptPasswords(4).is_outdated(legacy)


def test_nobody_costs_as_many_rounds_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def fits(_password: bytes, known: bytes) -> bool:
        compared.append(known)
        return True

    monkeypatch.setattr(bcrypt, "checkpw", fits)
    passwords = BcryptPasswords(11)

    assert not passwords.verify("correct horse", None)

    assert [known[:7] for known in compared] == [b"$2b$11$"]


def test_a_hash_of_another_cost_is_outdated() -> None:
    assert BcryptPasswords(5).is_outdated(BcryptPasswords(4).hash("correct horse"))


def test_an_unknown_address_takes_as_long_as_a_wrong_password() -> None:
    passwords = BcryptPasswords(9)
    known = passwords.hash("correct horse")

    wrong = min(seconds_of(passwords, known) for _ in range(5))
    unknown = min(seconds_of(passwords, None) for _ in range(5))

    assert 0.5 < unknown / wrong < 2
