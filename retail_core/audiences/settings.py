"""The frequency cap, as the operator says."""

from datetime import timedelta
from typing import Final

from retail_core.audiences.model import FrequencyCap
from retail_core.kernel.settings import Env

CAP_DAYS_MAX: Final = 366


def frequency_cap(env: Env) -> FrequencyCap | None:
    """How much marketing one contact may get; None, as by default: any."""
    days = env.integer("FREQUENCY_CAP_DAYS", default=7, minimum=1, maximum=CAP_DAYS_MAX)
    messages_max = env.integer("FREQUENCY_CAP_MAX", default=0)
    return FrequencyCap(messages_max, timedelta(days=days)) if messages_max else None
