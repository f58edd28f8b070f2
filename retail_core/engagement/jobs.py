"""Nudges of this room; each is safe to lose and safe to run twice."""

from datetime import datetime

from retail_core.kernel.jobs import Job

APPLY_INBOUND_TEXTS = "apply_inbound_texts"


def apply_put_off_texts(not_before: datetime) -> Job:
    """Texts were put off until then; a nudge of its own, so that fresh texts need not wait."""
    return Job(APPLY_INBOUND_TEXTS, f"{APPLY_INBOUND_TEXTS}:put_off", not_before=not_before)


def apply_inbound_texts() -> Job:
    """Texts arrived; waiting nudges are one."""
    return Job(APPLY_INBOUND_TEXTS, APPLY_INBOUND_TEXTS)
