"""Passwords by bcrypt."""

import base64
import hashlib
from typing import Final

import attrs
import bcrypt

COST_FALLBACK: Final = 12
PASSWORD_BYTES_MAX: Final = 72
"""bcrypt looks at no more than this; the legacy back end cut there without a word."""

PREHASHED: Final = "sha256:"
"""Marks our own hashes: of the SHA-256 of the password, in base64, so every character counts."""


@attrs.frozen
class BcryptPasswords:
    """`PasswordHasher` by bcrypt. A hash takes about a quarter of a second at cost 12.

    Hashes of the legacy back end carry no mark and verify as they always did.
    """

    cost: int = COST_FALLBACK

    def hash(self, password: str) -> str:
        """A marked hash with a salt of its own."""
        salt = bcrypt.gensalt(self.cost)
        return PREHASHED + bcrypt.hashpw(_digest(password), salt).decode()

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the hash is of this password; None takes as long and is False."""
        known = password_hash or PREHASHED + self._hash_of_nothing
        if known.startswith(PREHASHED):
            secret = _digest(password)
        else:
            secret = password.encode()[:PASSWORD_BYTES_MAX]
        try:
            fits = bcrypt.checkpw(secret, known.removeprefix(PREHASHED).encode())
        except ValueError:  # no hash at all, or a NUL in a password that was never stored with one
            return False
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it is the legacy back end's or of another cost."""
        return not password_hash.startswith(f"{PREHASHED}$2b${self.cost:02}$")

    @property
    def _hash_of_nothing(self) -> str:
        """A well-formed hash of the same cost that no password is known for."""
        return f"$2b${self.cost:02}${'.' * 22}{'.' * 31}"


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())
