"""Randomness that a test can repeat."""

import random

import attrs


@attrs.frozen
class SeededRandomness:
    """The same bytes for the same seed, in the same order; never for production."""

    seed: int = 0
    _random: random.Random = attrs.field(init=False, eq=False)

    @_random.default
    def _seeded(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    def token(self, size_bytes: int) -> bytes:
        return self._random.randbytes(size_bytes)
