"""How far each account's ledger was added up: the hourly check goes on from there."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0035"
down_revision = "0034"

INDEXES = {
    "credit_transfer_account_id_id_idx": "credit_transfer (account_id, id)",
    "credit_transfer_campaign_id_idx": (
        "credit_transfer (campaign_id) WHERE campaign_id IS NOT NULL"
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, place in INDEXES.items():
            op.execute(f"DROP INDEX IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place}")
    op.execute(
        """
        CREATE TABLE ledger_check (
            account_id integer PRIMARY KEY REFERENCES account (id),
            -- All transfers up to this one come to these sums.
            through_id bigint NOT NULL,
            available bigint NOT NULL,
            held bigint NOT NULL,
            debt bigint NOT NULL,
            checked_at timestamptz NOT NULL,
            -- When every transfer, from the first on, was added up.
            whole_at timestamptz NOT NULL
        )
        """
    )
    enable_row_security("ledger_check")


def downgrade() -> None:
    op.execute("DROP TABLE ledger_check")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
