"""Message numbers are reserved without a lock that outlives the call, and end where codes do."""

from alembic import op

revision = "0031"
down_revision = "0030"

NUMBER_MAX = 2**34 - 1
"""The greatest number that a link code can carry."""

_CHECKS = {
    "campaign_numbers_check": ("campaign", "first_number + total - 1"),
    "single_message_number_check": ("single_message", "number"),
}


def upgrade() -> None:
    # A block takes two steps, reading the sequence and moving it, so they need a lock. Held until
    # the commit, it would be held across all other locks that the transaction waits for, and one
    # store would stop all others. So it is taken in a subtransaction that is rolled back: that
    # gives back the lock, and nothing else, since no rollback moves a sequence. All of it happens
    # in this call, so no client that dies or stands still can keep the lock, and whatever goes
    # wrong ends the subtransaction too. Null: there are not so many left.
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION reserve_message_numbers(size bigint) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        DECLARE
            given bigint;
        BEGIN
            IF size < 1 THEN RAISE EXCEPTION 'a block has one number at least'; END IF;
            BEGIN
                PERFORM pg_advisory_xact_lock(hashtext('message_number'));
                SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO given
                FROM message_number;
                IF given <= {NUMBER_MAX} - size THEN
                    PERFORM setval('message_number', given + size);
                ELSE
                    given := NULL;
                END IF;
                RAISE SQLSTATE 'RD001';
            EXCEPTION WHEN SQLSTATE 'RD001' THEN NULL;
            END;
            RETURN given + 1;
        END $$
        """
    )
    # Each by itself, so that no lock that keeps writers out is held while rows are read.
    with op.get_context().autocommit_block():
        # What a store has planned within a day is asked at each start of a campaign.
        op.execute("DROP INDEX IF EXISTS campaign_account_id_started_at_idx")
        op.execute(
            "CREATE INDEX CONCURRENTLY campaign_account_id_started_at_idx "
            "ON campaign (account_id, started_at) WHERE started_at IS NOT NULL"
        )
        for name, (table, last) in _CHECKS.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            op.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} "
                f"CHECK ({last} <= {NUMBER_MAX}) NOT VALID"
            )
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    for name, (table, _) in _CHECKS.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute("DROP INDEX campaign_account_id_started_at_idx")
    op.execute("DROP FUNCTION reserve_message_numbers(bigint)")
