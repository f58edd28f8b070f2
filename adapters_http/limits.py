"""The store that all processes share for counting; so far it is only asked whether it is there."""

from typing import Final

import attrs
import redis

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.secrets import SecretText

TIMEOUT_SECONDS: Final = 2.0


@attrs.frozen
class SharedStore:
    """Redis, connected at the first use and thus once per process. No address: switched off."""

    _client: "redis.Redis | None"

    @classmethod
    def at(cls, url: SecretText | None) -> "SharedStore":
        """The store at an address; connects to nothing yet."""
        if url is None:
            return cls(None)
        return cls(
            redis.Redis.from_url(
                url.reveal(),
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
            )
        )

    def check(self) -> None:
        """Raise Unavailable if the store is used and does not answer."""
        try:
            if self._client is not None:
                self._client.ping()
        except redis.RedisError:
            raise Unavailable from None
