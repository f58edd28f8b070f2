"""How the gateway does, in memory."""

from typing import Final

import attrs

from retail_core.messages.model import GatewayHealth
from retail_core.testing.tables import MemoryTables

GATEWAY: Final = "sms"


@attrs.frozen
class MemoryGatewayHealthStore:
    """`GatewayHealthStore` in memory; transactions are serial here."""

    tables: MemoryTables

    def look(self) -> GatewayHealth:
        return self.lock()

    def lock(self) -> GatewayHealth:
        return self.tables.gateway_health.get(GATEWAY) or GatewayHealth()

    def lock_unless_held(self) -> GatewayHealth | None:
        return self.lock()

    def save(self, health: GatewayHealth) -> None:
        self.tables.gateway_health.put(GATEWAY, health)
