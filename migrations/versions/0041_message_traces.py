"""Opt-out links mean the number that their text went to, also once that was forgotten."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE message_trace (
            number bigint PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id),
            phone_hash bytea NOT NULL CHECK (octet_length(phone_hash) = 32),
            -- When the message was handed over: its link is valid for 13 months.
            at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX message_trace_account_id_idx ON message_trace (account_id)")
    op.execute("CREATE INDEX message_trace_at_idx ON message_trace (at)")
    enable_row_security("message_trace")
    # Who was given the number since; they may be gone, or have another one, by now.
    op.execute("ALTER TABLE number_trace ADD COLUMN contact_id integer")


def downgrade() -> None:
    # What bars a number by its hash alone is an erasure before this.
    op.execute("DELETE FROM suppression WHERE phone_hash IS NOT NULL AND reason <> 'erasure'")
    op.execute("ALTER TABLE number_trace DROP COLUMN contact_id")
    op.execute("DROP TABLE message_trace")
