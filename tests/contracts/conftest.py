"""Contracts run in both worlds."""

from tests.contracts.worlds import connections, world

__all__ = ["connections", "world"]
