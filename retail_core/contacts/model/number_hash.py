"""What remains of a number when it may no longer be kept: a keyed hash that recognises it."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber

HASH_BYTES: Final = 32
_LABEL: Final = b"suppression hash"


@attrs.frozen
class NumberHash:
    """HMAC of a number under `SUPPRESSION_HASH_SECRET`, which must stay the same for ever."""

    secret: bytes = attrs.field(repr=False)

    @classmethod
    def derived(cls, unsubscribe_secret: bytes) -> "NumberHash":
        """The hash for deployments that set no secret of its own."""
        return cls(hmac.new(unsubscribe_secret, _LABEL, hashlib.sha256).digest())

    def of(self, phone: PhoneNumber) -> bytes:
        """`HASH_BYTES` long; the same number gives the same bytes in every store."""
        return hmac.new(self.secret, phone.encode(), hashlib.sha256).digest()

    def of_each(self, phones: Iterable[PhoneNumber]) -> Mapping[PhoneNumber, bytes]:
        """The same for many: the key is taken in once."""
        keyed, hashes = hmac.new(self.secret, digestmod=hashlib.sha256), {}
        for phone in phones:
            each = keyed.copy()
            each.update(phone.encode())
            hashes[phone] = each.digest()
        return hashes
