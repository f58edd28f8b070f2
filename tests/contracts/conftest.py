"""Contracts run in both worlds."""

import pytest

from tests.contracts.worlds import connections, world

__all__ = ["connections", "world"]

# Contract suites are no test modules of their own, but their assertions should explain themselves.
pytest.register_assert_rewrite("tests.contracts")
