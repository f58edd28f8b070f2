"""Short codes in links, derived from a message's number instead of being stored.

A code is the number, scrambled, and a keyed check that nobody can guess; so a code that was read
successfully names a message of ours. Each kind of code has a key of its own.
"""

import binascii
import hashlib
import hmac
import re
from typing import Final

import attrs

NUMBER_BITS: Final = 34
NUMBER_GENERATIONS: Final = 1
"""How often numbers may run through those bits. The check is made of the whole number, so a code
tells of which generation it is; each one costs a guess more for whoever guesses codes."""

CODE_NUMBER_MAX: Final = NUMBER_GENERATIONS * 2**NUMBER_BITS - 1

_LOW_BITS: Final = 2**NUMBER_BITS - 1
OPT_OUT_CODE_LENGTH: Final = 11
TRACKING_ID_LENGTH: Final = 12

_BITS_PER_CHARACTER: Final = 6
_SPELLED_BITS: Final = 72
_CHECK_BYTES: Final = 5
_SPELLED: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


@attrs.frozen
class _CodeKind:
    """One kind of code: its sizes in bits, and the keys that scramble and check the number in it.

    The number, the check and then padding fill nine bytes; the padding is not spelled out.
    """

    length: int
    check_bits: int
    padding_bits: int
    factor: int
    inverse: int
    mac: hashlib.blake2b
    generations: int

    @classmethod
    def of_label(cls, secret: bytes, label: bytes, length: int, generations: int) -> "_CodeKind":
        key = hashlib.blake2b(secret, person=label, digest_size=48).digest()
        factor = int.from_bytes(key[:8], "big") & _LOW_BITS | 1
        return cls(
            length=length,
            check_bits=length * _BITS_PER_CHARACTER - NUMBER_BITS,
            padding_bits=_SPELLED_BITS - length * _BITS_PER_CHARACTER,
            factor=factor,
            inverse=pow(factor, -1, 2**NUMBER_BITS),
            mac=hashlib.blake2b(key=key[8:40], digest_size=_CHECK_BYTES),
            generations=generations,
        )

    def spell(self, number: int) -> str:
        if not 0 <= number >> NUMBER_BITS < self.generations:
            raise ValueError(f"no code for {number}: it is beyond {NUMBER_BITS} bits")
        scrambled = number * self.factor & _LOW_BITS
        value = (scrambled << self.check_bits | self._check(number)) << self.padding_bits
        spelled = binascii.b2a_base64(value.to_bytes(_SPELLED_BITS // 8, "big"), newline=False)
        return spelled[: self.length].translate(_URL_SAFE).decode()

    def read(self, text: str) -> int | None:
        if len(text) != self.length or not _SPELLED.fullmatch(text):
            return None
        spelled = text.ljust(_SPELLED_BITS // _BITS_PER_CHARACTER, "A").encode()
        packed = binascii.a2b_base64(spelled.translate(_FROM_URL_SAFE))
        value = int.from_bytes(packed, "big") >> self.padding_bits
        low = (value >> self.check_bits) * self.inverse & _LOW_BITS
        given = (value & (1 << self.check_bits) - 1).to_bytes(8, "big")
        for generation in range(self.generations):
            number = generation << NUMBER_BITS | low
            if hmac.compare_digest(given, self._check(number).to_bytes(8, "big")):
                return number
        return None

    def _check(self, number: int) -> int:
        mac = self.mac.copy()
        mac.update(number.to_bytes(8, "big"))
        return int.from_bytes(mac.digest(), "big") >> _CHECK_BYTES * 8 - self.check_bits


@attrs.frozen
class LinkCodes:
    """The codes of messages under one secret (`UNSUBSCRIBE_TOKEN_SECRET`).

    The secret must stay the same for as long as links are valid. Numbers have at most 34 bits in
    each generation; a greater one raises ValueError.
    """

    secret: bytes = attrs.field(repr=False)
    generations: int = NUMBER_GENERATIONS
    _opt_out: _CodeKind = attrs.field(init=False, repr=False, eq=False)
    _tracking: _CodeKind = attrs.field(init=False, repr=False, eq=False)

    @_opt_out.default
    def _make_opt_out(self) -> _CodeKind:
        return self._kind(b"opt-out code", OPT_OUT_CODE_LENGTH)

    @_tracking.default
    def _make_tracking(self) -> _CodeKind:
        return self._kind(b"tracking id", TRACKING_ID_LENGTH)

    def _kind(self, label: bytes, length: int) -> _CodeKind:
        return _CodeKind.of_label(self.secret, label, length, self.generations)

    def opt_out_code(self, number: int) -> str:
        """The code with which the recipient of message `number` opts out: 11 characters."""
        return self._opt_out.spell(number)

    def tracking_id(self, number: int) -> str:
        """The id of message `number` in its offer link: 12 characters."""
        return self._tracking.spell(number)

    def read_opt_out_code(self, text: str) -> int | None:
        """The number of the message that carried this opt-out code; None if we never made it."""
        return self._opt_out.read(text)

    def read_tracking_id(self, text: str) -> int | None:
        """The number of the message that carried this tracking id; None if we never made it."""
        return self._tracking.read(text)
