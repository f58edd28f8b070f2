"""How the gateway does, in one row that all processes share."""

from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, select, text, update

from adapters_db.tables.messages import gateway_health
from retail_core.messages.model import GatewayHealth

GATEWAY: Final = "sms"
"""The row's key; a second gateway would have a second row."""

LOCK_WAIT_MS: Final = 500
"""So long somebody who wants to tell of a call waits for the row; then it is not told."""

IS_WELL: Final = f"""NOT EXISTS (
    SELECT FROM gateway_health g
    WHERE g.gateway = '{GATEWAY}' AND (g.level > 0 OR g.rests_until > %(now)s))"""
MAY_BE_CALLED: Final = f"""NOT EXISTS (
    SELECT FROM gateway_health g WHERE g.gateway = '{GATEWAY}' AND g.rests_until > %(now)s)"""
STRAIN: Final = f"(SELECT g.strain FROM gateway_health g WHERE g.gateway = '{GATEWAY}')"

_BEGIN_PROBE = f"""
UPDATE gateway_health SET rests_until = %(lease_until)s
WHERE gateway = (
    SELECT gateway FROM gateway_health
    WHERE gateway = '{GATEWAY}' AND level > 0 AND (rests_until IS NULL OR rests_until <= %(now)s)
    FOR UPDATE SKIP LOCKED)
"""
_END_PROBE = f"UPDATE gateway_health SET rests_until = %(now)s WHERE gateway = '{GATEWAY}'"

_COLUMNS = tuple(gateway_health.c[field.name] for field in attrs.fields(GatewayHealth))
_OURS = gateway_health.c.gateway == GATEWAY

Driver = psycopg.Connection[tuple[Any, ...]]


@attrs.frozen
class SqlGatewayHealthStore:
    """`GatewayHealthStore` on PostgreSQL."""

    connection: Connection

    def look(self) -> GatewayHealth:
        """One row by its key."""
        return GatewayHealth(*self.connection.execute(select(*_COLUMNS).where(_OURS)).one())

    def lock(self) -> GatewayHealth:
        """One row by its key; whoever holds it for long may have been halted."""
        self.connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
        locked = select(*_COLUMNS).where(_OURS).with_for_update()
        return GatewayHealth(*self.connection.execute(locked).one())

    def lock_unless_held(self) -> GatewayHealth | None:
        """One row by its key, or none."""
        locked = select(*_COLUMNS).where(_OURS).with_for_update(skip_locked=True)
        row = self.connection.execute(locked).first()
        return None if row is None else GatewayHealth(*row)

    def save(self, health: GatewayHealth) -> None:
        """One row by its key."""
        self.connection.execute(update(gateway_health).where(_OURS).values(attrs.asdict(health)))


def begin_probe(driver: Driver, now: datetime, lease_until: datetime) -> bool:
    """Take the one probe that is due: for all others the gateway rests until the lease is over."""
    return driver.execute(_BEGIN_PROBE, {"now": now, "lease_until": lease_until}).rowcount == 1


def end_probe(driver: Driver, now: datetime) -> None:
    """There was nothing to probe with: whoever finds something may."""
    driver.execute(_END_PROBE, {"now": now})
