"""Texts are applied in sets, what is urgent first; what matches nobody is found again."""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE inbound_text
            -- What the sender of a waiting text ends in; texts that end alike keep their order.
            -- A process of the release before this one knows of neither: its texts come first.
            ADD sender_end integer NOT NULL DEFAULT 0,
            ADD urgency smallint NOT NULL DEFAULT 0,
            ADD not_before timestamptz,
            ADD tries smallint NOT NULL DEFAULT 0,
            ADD is_nobodys boolean NOT NULL DEFAULT false
        """
    )
    with op.get_context().autocommit_block():
        # What an earlier try left behind half made is of no use to anybody.
        op.execute(
            "DROP INDEX IF EXISTS inbound_text_turn_idx, inbound_text_sender_idx, "
            "inbound_text_put_off_idx, inbound_text_nobodys_idx"
        )
        op.execute(
            "CREATE INDEX CONCURRENTLY inbound_text_turn_idx ON inbound_text (urgency, id) "
            "WHERE applied_at IS NULL"
        )
        op.execute(
            "CREATE INDEX CONCURRENTLY inbound_text_sender_idx ON inbound_text (sender_end, id) "
            "WHERE applied_at IS NULL"
        )
        op.execute(
            "CREATE INDEX CONCURRENTLY inbound_text_put_off_idx ON inbound_text (sender_end, id) "
            "WHERE applied_at IS NULL AND not_before IS NOT NULL"
        )
        op.execute(
            "CREATE INDEX CONCURRENTLY inbound_text_nobodys_idx ON inbound_text (id) "
            "WHERE is_nobodys"
        )
        op.execute("DROP INDEX IF EXISTS inbound_text_waiting_idx")


def downgrade() -> None:
    op.execute(
        "CREATE INDEX inbound_text_waiting_idx ON inbound_text (id) WHERE applied_at IS NULL"
    )
    op.execute("DROP INDEX inbound_text_turn_idx, inbound_text_sender_idx")
    op.execute(
        "ALTER TABLE inbound_text DROP sender_end, DROP urgency, DROP not_before, DROP tries, "
        "DROP is_nobodys"
    )
