"""What every test shares: no network, repeatable randomness, and the real servers as fixtures."""

import os
import random

import pytest
from hypothesis import HealthCheck, settings

from tests import loopback

pytest_plugins = ["tests.servers", "tests.browsers", "tests.harmless_logs"]

# Contract suites are no test modules of their own, but their assertions should explain themselves.
pytest.register_assert_rewrite("tests.contracts")

# A suite says the same each time; `make explore` draws a seed, and so does whoever sets one.
FIXED_SEED = 20261124
SEED = int(os.environ.get("TEST_SEED") or FIXED_SEED)
# The processes of `pytest -n` start after this one has read the line, and must collect the same.
os.environ["TEST_SEED"] = str(SEED)

# Real databases make a first example slow, so no example has a deadline.
settings.register_profile(
    "fixed",
    deadline=None,
    print_blob=True,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.register_profile("deep", deadline=None, print_blob=True, max_examples=2000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or "fixed"
settings.load_profile(PROFILE)


def pytest_configure() -> None:
    """Close the way out before the first test module is imported."""
    loopback.guard()


def pytest_report_header() -> str:
    """Print what is needed to repeat a random failure."""
    return f"seed: TEST_SEED={SEED}, hypothesis profile: {PROFILE}"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A random generator of this test's own, repeatable with the seed in the report's header."""
    return random.Random(f"{SEED}:{request.node.nodeid}")
