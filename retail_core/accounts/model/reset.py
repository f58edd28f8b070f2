"""The token of a mailed link, which sets a new password."""

import hashlib
from datetime import timedelta
from typing import Final

RESET_TOKEN_BYTES: Final = 32
RESET_TOKEN_LIFE: Final = timedelta(minutes=60)


def reset_token_hash(text: str) -> bytes:
    """How a token is kept. It is random and long, so a fast hash is enough."""
    return hashlib.sha256(text.encode()).digest()
