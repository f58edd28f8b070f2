"""Batches are found by the people in them, and any number of people leave one in one change."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    # All that a contact leaves in batches is looked for here: those that were settled hold nobody.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS send_batch_people_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY send_batch_people_idx "
            "ON send_batch (account_id, campaign_id, no) WHERE contact_ids IS NOT NULL"
        )
    # An array is taken apart once and put together once, however many places are emptied.
    op.execute(
        """
        CREATE FUNCTION emptied_at(list anyarray, places integer[]) RETURNS anyarray
        LANGUAGE plpgsql IMMUTABLE STRICT AS $$
        DECLARE
            place integer;
        BEGIN
            FOREACH place IN ARRAY places LOOP
                list[place] := NULL;
            END LOOP;
            RETURN list;
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION emptied_at(anyarray, integer[])")
    op.execute("DROP INDEX send_batch_people_idx")
