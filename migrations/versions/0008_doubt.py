"""Messages in doubt, and which messages the gateway was asked about."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0008"
down_revision = "0007"

UNKNOWN = 2
"""The state of a message of which nobody knows whether it went out."""


def upgrade() -> None:
    _create_message_doubt()
    _create_status_look_up()
    # When the messages of a batch are to be asked about next; empty when they never are again.
    op.execute("ALTER TABLE send_batch ADD COLUMN look_up_at timestamptz")
    op.execute(
        "CREATE INDEX send_batch_look_up_at_idx ON send_batch (look_up_at) "
        "WHERE look_up_at IS NOT NULL"
    )
    # Batches in doubt are few, and are looked for by their age.
    op.execute(
        "CREATE INDEX send_batch_unknown_idx ON send_batch (settled_at) WHERE state = 'unknown'"
    )
    # A report without an id is matched by our reference or by its number.
    op.execute("CREATE INDEX report_parked_phone_idx ON report_parked (phone)")
    op.execute(
        "CREATE INDEX report_parked_reference_idx ON report_parked (reference) "
        "WHERE reference IS NOT NULL"
    )


def _create_message_doubt() -> None:
    # A small table of exactly the messages that are unknown: no index on the messages themselves
    # may name their state. It also says whether their credits are settled, which happens once.
    op.execute(
        """
        CREATE TABLE message_doubt (
            campaign_id integer NOT NULL,
            seq integer NOT NULL,
            account_id integer NOT NULL,
            phone bigint,
            since timestamptz NOT NULL,
            credits integer NOT NULL CHECK (credits >= 0),
            credits_settled_at timestamptz,
            PRIMARY KEY (campaign_id, seq)
        )
        """
    )
    op.execute("CREATE INDEX message_doubt_phone_idx ON message_doubt (phone)")
    op.execute(
        "CREATE INDEX message_doubt_since_idx ON message_doubt (since) "
        "WHERE credits_settled_at IS NULL"
    )
    enable_row_security("message_doubt")
    op.execute(
        f"""
        INSERT INTO message_doubt (campaign_id, seq, account_id, phone, since, credits)
        SELECT campaign_id, seq, account_id, phone, updated_at, credits
        FROM message WHERE state = {UNKNOWN}
        """
    )


def _create_status_look_up() -> None:
    op.execute(
        """
        CREATE TABLE status_look_up (
            campaign_id integer NOT NULL,
            seq integer NOT NULL,
            account_id integer NOT NULL,
            asked_at timestamptz NOT NULL,
            PRIMARY KEY (campaign_id, seq)
        )
        """
    )
    op.execute("CREATE INDEX status_look_up_asked_at_idx ON status_look_up (asked_at)")
    enable_row_security("status_look_up")


def downgrade() -> None:
    op.execute("DROP INDEX report_parked_reference_idx")
    op.execute("DROP INDEX report_parked_phone_idx")
    op.execute("DROP INDEX send_batch_unknown_idx")
    op.execute("ALTER TABLE send_batch DROP COLUMN look_up_at")
    op.execute("DROP TABLE status_look_up")
    op.execute("DROP TABLE message_doubt")
