"""How the gateway does, for all processes."""

from alembic import op

from migrations.row_security import enable_row_security_for_sweeps_only

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE gateway_health (
            gateway text PRIMARY KEY,
            strain integer NOT NULL DEFAULT 0 CHECK (strain >= 0),
            level integer NOT NULL DEFAULT 0 CHECK (level >= 0),
            rests_until timestamptz
        ) WITH (fillfactor = 50)
        """
    )
    enable_row_security_for_sweeps_only("gateway_health")
    op.execute("INSERT INTO gateway_health (gateway) VALUES ('sms')")


def downgrade() -> None:
    op.execute("DROP TABLE gateway_health")
