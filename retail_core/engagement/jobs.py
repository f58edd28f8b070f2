"""Nudges of this room; each is safe to lose and safe to run twice."""

from retail_core.kernel.jobs import Job

APPLY_INBOUND_TEXTS = "apply_inbound_texts"


def apply_inbound_texts() -> Job:
    """Texts arrived; waiting nudges are one."""
    return Job(APPLY_INBOUND_TEXTS, APPLY_INBOUND_TEXTS)
