"""Rounds of look-ups share one budget, and of two at once one is at work."""

from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE look_up_turn
            ADD busy_until timestamptz,
            ADD round_at timestamptz,
            ADD asked integer NOT NULL DEFAULT 0 CHECK (asked >= 0)
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE look_up_turn DROP busy_until, DROP round_at, DROP asked")
