"""Sending: batches are claimed, handed over and settled; reports are recorded and applied."""

from retail_core.messages.use_cases.declaring import ResolveUnknown
from retail_core.messages.use_cases.dispatching import DispatchBatch, DispatchOutcome
from retail_core.messages.use_cases.exporting import ExportMessages
from retail_core.messages.use_cases.looking_up import (
    AskGateway,
    RefreshMessages,
    RefreshStatuses,
    ShowGatewayMessage,
)
from retail_core.messages.use_cases.reporting import (
    ApplyReports,
    MatchParkedReports,
    RecordReports,
    ReplayReports,
)
from retail_core.messages.use_cases.resolving import (
    ResolveByReports,
    SettleOverdueUnknown,
    UnknownPolicy,
)
from retail_core.messages.use_cases.singles import SendSingleMessages, SweepSingleMessages
from retail_core.messages.use_cases.sweeping import (
    CloseCancelledBatches,
    SweepStaleBatches,
    WatchNumbers,
)

__all__ = [
    "ApplyReports",
    "AskGateway",
    "CloseCancelledBatches",
    "DispatchBatch",
    "DispatchOutcome",
    "ExportMessages",
    "MatchParkedReports",
    "RecordReports",
    "RefreshMessages",
    "RefreshStatuses",
    "ReplayReports",
    "ResolveByReports",
    "ResolveUnknown",
    "SendSingleMessages",
    "SettleOverdueUnknown",
    "ShowGatewayMessage",
    "SweepSingleMessages",
    "SweepStaleBatches",
    "UnknownPolicy",
    "WatchNumbers",
]
