"""Who was asked to confirm that they want messages, so that nobody is asked too often.

Owners hear of what kept confirmations from being sent. A request decides nothing, so whose last
word was no before it is still found by the clean-up.
"""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0026"
down_revision = "0025"

_KINDS = (
    "'password_reset', 'campaign_paused', 'campaign_failed', 'campaign_finished', 'credits_low'"
)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE confirmation (
            message_number bigint PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            -- not the number: it outlives its contact
            phone_hash bytea NOT NULL CHECK (octet_length(phone_hash) = 32),
            asked_at timestamptz NOT NULL
        )
        """
    )
    for columns in ("asked_at", "account_id, asked_at", "account_id, phone_hash, asked_at"):
        name = columns.replace(", ", "_")
        op.execute(f"CREATE INDEX confirmation_{name}_idx ON confirmation ({columns})")
    enable_row_security("confirmation")
    _allow(f"{_KINDS}, 'confirmation_limit', 'confirmation_country'")


def downgrade() -> None:
    op.execute("DELETE FROM notice WHERE kind LIKE 'confirmation%'")
    _allow(_KINDS)
    op.execute("DROP TABLE confirmation")


def _allow(kinds: str) -> None:
    op.execute("ALTER TABLE notice DROP CONSTRAINT notice_kind_check")
    op.execute(f"ALTER TABLE notice ADD CONSTRAINT notice_kind_check CHECK (kind IN ({kinds}))")
