"""Signing with Ed25519 as RFC 8032 has it (5.1), in whole numbers and nothing else.

Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and xy = T/Z. The addition holds for any two points,
so every multiplication takes the same steps; its factor is blinded besides, so what its steps
cost tells nothing about a secret.
"""

import hashlib
from typing import Final, TypeAlias

import attrs

from retail_core.kernel.ports import Randomness

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
ORDER: Final = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
"""So many multiples the base point has."""

_PRIME: Final = 2**255 - 19
_CURVE: Final = -121_665 * pow(121_666, -1, _PRIME) % _PRIME
_BLINDING_BYTES: Final = 8
_FACTOR_BITS: Final = 256 + 8 * _BLINDING_BYTES

_Point: TypeAlias = tuple[int, int, int, int]


def _even_x(y: int) -> int:
    """The even one of the two x of a y that is known to lie on the curve."""
    square = (y * y - 1) * pow(_CURVE * y * y + 1, -1, _PRIME) % _PRIME
    root = pow(square, (_PRIME + 3) // 8, _PRIME)
    if root * root % _PRIME != square:
        root = root * pow(2, (_PRIME - 1) // 4, _PRIME) % _PRIME
    return _PRIME - root if root & 1 else root


_BASE_Y: Final = 4 * pow(5, -1, _PRIME) % _PRIME
_BASE_X: Final = _even_x(_BASE_Y)
_BASE: Final[_Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _PRIME)
_NEUTRAL: Final[_Point] = (0, 1, 1, 0)


def _sum(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % _PRIME
    c = 2 * one[3] * other[3] * _CURVE % _PRIME
    d = 2 * one[2] * other[2] % _PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _PRIME, g * h % _PRIME, f * g % _PRIME, e * h % _PRIME)


def _times_base(factor: int, blinding: bytes) -> bytes:
    """A multiple of the base point, spelled out; the blinding changes how, never what."""
    blinded = factor + int.from_bytes(blinding) * ORDER
    result = _NEUTRAL
    for bit in reversed(range(_FACTOR_BITS)):
        doubled = _sum(result, result)
        result = (doubled, _sum(doubled, _BASE))[blinded >> bit & 1]
    inverse = pow(result[2], -1, _PRIME)
    x, y = result[0] * inverse % _PRIME, result[1] * inverse % _PRIME
    return (y | (x & 1) << 255).to_bytes(PUBLIC_BYTES, "little")


def _number(*pieces: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(pieces)).digest(), "little") % ORDER


@attrs.frozen
class SigningKey:
    """A key made of a seed of 32 bytes; `public` is what signatures are checked with."""

    _secret: int = attrs.field(repr=False)
    _prefix: bytes = attrs.field(repr=False)
    _randomness: Randomness = attrs.field(repr=False)
    public: bytes

    @classmethod
    def of_seed(cls, seed: bytes, randomness: Randomness) -> "SigningKey":
        """Raises ValueError for a seed of another length."""
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")
        digest = hashlib.sha512(seed).digest()
        secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        public = _times_base(secret, randomness.token(_BLINDING_BYTES))
        return cls(secret, digest[32:], randomness, public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same message always gives the same."""
        nonce = _number(self._prefix, message)
        point = _times_base(nonce, self._randomness.token(_BLINDING_BYTES))
        challenge = _number(point, self.public, message)
        scalar = (nonce + challenge * self._secret) % ORDER
        return point + scalar.to_bytes(32, "little")
