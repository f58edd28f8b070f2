"""Sending: batches are claimed, handed over and settled; reports are recorded and applied."""

from retail_core.messages.use_cases.dispatching import DispatchBatch, DispatchOutcome
from retail_core.messages.use_cases.reporting import (
    ApplyReports,
    MatchParkedReports,
    RecordReports,
)
from retail_core.messages.use_cases.sweeping import SweepStaleBatches

__all__ = [
    "ApplyReports",
    "DispatchBatch",
    "DispatchOutcome",
    "MatchParkedReports",
    "RecordReports",
    "SweepStaleBatches",
]
