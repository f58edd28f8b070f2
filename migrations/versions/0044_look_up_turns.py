"""Stores take turns at look-ups: what is due is found store by store, from one to the next."""

from alembic import op

from migrations.row_security import enable_row_security_for_sweeps_only

revision = "0044"
down_revision = "0043"

_OPEN_SINGLES = "state IN (2, 3) AND provider_id IS NOT NULL"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE look_up_turn (
            gateway text PRIMARY KEY,
            after_account_id integer NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50)
        """
    )
    enable_row_security_for_sweeps_only("look_up_turn")
    op.execute("INSERT INTO look_up_turn (gateway) VALUES ('sms')")
    with op.get_context().autocommit_block():
        _replace_index("send_batch", "account_id, look_up_at", "look_up_at IS NOT NULL")
        _replace_index(
            "single_message",
            "account_id, look_up_at",
            f"{_OPEN_SINGLES} AND look_up_at IS NOT NULL",
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _replace_index("send_batch", "look_up_at", "look_up_at IS NOT NULL")
        _replace_index("single_message", "look_up_at", _OPEN_SINGLES)
    op.execute("DROP TABLE look_up_turn")


def _replace_index(table: str, columns: str, rows: str) -> None:
    """The new one is there before the old one goes; what an attempt left behind goes first."""
    old = f"{table}_look_up_at_idx"
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}_new")
    op.execute(f"CREATE INDEX CONCURRENTLY {old}_new ON {table} ({columns}) WHERE {rows}")
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}")
    op.execute(f"ALTER INDEX {old}_new RENAME TO {old}")
