"""The gateway, its pace and its reports, as sending sees them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.kernel.time.clock import Deadline
from retail_core.messages.model import (
    DeliveryReport,
    GatewayHealth,
    GatewayMessage,
    OutgoingMessage,
    SubmissionOutcome,
)


class SmsGateway(Protocol):
    """Hands messages over. Never raises for what a gateway may do: the outcome says it."""

    def submit(self, messages: Sequence[OutgoingMessage], deadline: Deadline) -> SubmissionOutcome:
        """Hand over 1 to `batch_messages_max` messages in one call.

        Nothing leaves any more once `deadline` is over, which is asked as late as can be: after
        waiting for a connection, and before each piece that is written. `TooLate`, if nothing did.
        """
        ...

    def look_up(self, provider_id: ProviderId) -> GatewayMessage | None:
        """Ask what became of a message; None if the gateway does not know it.

        Raises `GatewayUnavailable`.
        """
        ...


class GatewayPace(Protocol):
    """Shares the permitted gateway calls per second between all processes."""

    def reserve(self, account: AccountId) -> float:
        """Take one call; returns the seconds to wait before making it (0.0 = now)."""
        ...


class GatewayHealthStore(Protocol):
    """How the gateway does, for all processes; claims read it in the statement that claims."""

    def look(self) -> GatewayHealth:
        """Read it without a lock."""
        ...

    def lock(self) -> GatewayHealth:
        """Lock and return it: whoever learns something next waits, for a moment.

        Raises `Unavailable` if somebody keeps it locked: they may have been halted.
        """
        ...

    def lock_unless_held(self) -> GatewayHealth | None:
        """Lock and return it; None if somebody has it locked. Never waits."""
        ...

    def save(self, health: GatewayHealth) -> None:
        """Replace what was locked."""
        ...


class ReportReader(Protocol):
    """Understands the gateway's delivery reports, whatever names and words they use."""

    def read(self, raw: bytes, arrived_at: datetime) -> Sequence[DeliveryReport]:
        """Read the JSON of one report or an array of them; never raises on any bytes."""
        ...


class Pause(Protocol):
    """Waits, as a port: tests do not sleep."""

    def seconds(self, duration_seconds: float) -> None: ...
