"""How numbers that may not be kept are recognised, as the operator says."""

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.settings import Env


def number_hash_of(env: Env) -> NumberHash:
    """How numbers that may not be kept are recognised."""
    if env.given("SUPPRESSION_HASH_SECRET"):
        return NumberHash(env.secret("SUPPRESSION_HASH_SECRET").reveal_bytes())
    return NumberHash.derived(env.secret("UNSUBSCRIBE_TOKEN_SECRET").reveal_bytes())
