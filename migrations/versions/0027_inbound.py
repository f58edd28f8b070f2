"""Texts that people send back, the stores they concern, and who was written to but is forgotten."""

from alembic import op

from migrations.row_security import (
    BOUND_ROLE,
    CURRENT_ACCOUNT,
    enable_row_security,
    enable_row_security_where,
)

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE inbound_text (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            -- As it came; null once its sender was forgotten.
            raw bytea,
            arrived_at timestamptz NOT NULL,
            applied_at timestamptz,
            phone bigint,
            text text,
            message_id text,
            fingerprint bytea,
            keyword text CHECK (keyword IN ('stop', 'start')),
            is_repeat boolean NOT NULL DEFAULT false,
            CHECK (raw IS NOT NULL OR applied_at IS NOT NULL)
        )
        """
    )
    op.execute(
        "CREATE INDEX inbound_text_waiting_idx ON inbound_text (id) WHERE applied_at IS NULL"
    )
    op.execute(
        "CREATE INDEX inbound_text_phone_idx ON inbound_text (phone, id) WHERE phone IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE inbound_scope (
            account_id integer NOT NULL REFERENCES account (id),
            inbound_id bigint NOT NULL REFERENCES inbound_text (id) ON DELETE CASCADE,
            PRIMARY KEY (account_id, inbound_id)
        )
        """
    )
    op.execute("CREATE INDEX inbound_scope_inbound_id_idx ON inbound_scope (inbound_id)")
    enable_row_security("inbound_scope")
    # A store sees the texts that concern it, and may have them forgotten, but writes none.
    enable_row_security_where(
        "inbound_text",
        "EXISTS (SELECT FROM inbound_scope s "
        f"WHERE s.inbound_id = inbound_text.id AND s.account_id = {CURRENT_ACCOUNT})",
    )
    op.execute(f"REVOKE INSERT, DELETE, TRUNCATE ON inbound_text FROM {BOUND_ROLE}")
    op.execute(f"REVOKE INSERT, TRUNCATE ON inbound_scope FROM {BOUND_ROLE}")
    op.execute(
        """
        CREATE TABLE number_trace (
            account_id integer NOT NULL REFERENCES account (id),
            phone_hash bytea NOT NULL CHECK (octet_length(phone_hash) = 32),
            -- The last hand-over to the number, and the sender it came from.
            at timestamptz NOT NULL,
            sender text NOT NULL,
            PRIMARY KEY (account_id, phone_hash)
        )
        """
    )
    op.execute("CREATE INDEX number_trace_phone_hash_idx ON number_trace (phone_hash)")
    op.execute("CREATE INDEX number_trace_at_idx ON number_trace (at)")
    enable_row_security("number_trace")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS single_message_phone_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY single_message_phone_idx ON single_message (phone) "
            "WHERE phone IS NOT NULL"
        )


def downgrade() -> None:
    op.execute("DROP INDEX single_message_phone_idx")
    op.execute("DROP TABLE number_trace")
    op.execute("DROP TABLE inbound_scope CASCADE")
    op.execute("DROP TABLE inbound_text")
