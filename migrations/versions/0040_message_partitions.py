"""Partitions of messages are made ahead, each for some weeks, and know when they were used."""

from alembic import op

from migrations.row_security import BOUND_ROLE, SWEEP_ROLE, enable_row_security_where

revision = "0040"
down_revision = "0039"

CAMPAIGNS_MIN = 1_000
"""So many ids of campaigns a partition has at least."""

CAMPAIGNS_MAX = 2**22
GROWTH_MAX = 8
"""So many times as wide as the one before a partition is at most."""

SPAN = "interval '28 days'"
"""For so long a partition is meant to last, at the pace of the one before: 13 a year."""


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE message_partition (
            first_campaign integer PRIMARY KEY,
            below integer NOT NULL,
            -- When it was made, and the id that campaigns had reached by then.
            made_at timestamptz NOT NULL,
            made_for integer NOT NULL,
            -- To the hour: when a batch with messages in it was booked last.
            last_hand_over timestamptz,
            CHECK (first_campaign >= 0 AND below > first_campaign)
        )
        """
    )
    # It tells nothing of any store, and changes by the functions below and by hand-overs alone.
    enable_row_security_where("message_partition", "true")
    roles = f"{BOUND_ROLE}, {SWEEP_ROLE}"
    op.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON message_partition FROM {roles}")
    op.execute(f"GRANT UPDATE (last_hand_over) ON message_partition TO {roles}")
    _note_those_that_are_here()
    _make_one()
    _make_ahead()


def _note_those_that_are_here() -> None:
    op.execute(
        f"""
        INSERT INTO message_partition (first_campaign, below, made_at, made_for, last_hand_over)
        SELECT p.first, p.first + {CAMPAIGNS_MIN}, now(),
               coalesce((SELECT max(id) FROM campaign), 0), u.at
        FROM (
            SELECT substr(c.relname, length('message_from_') + 1)::integer AS first
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'message'::regclass
        ) p LEFT JOIN (
            SELECT campaign_id - campaign_id % {CAMPAIGNS_MIN} AS first, max(settled_at) AS at
            FROM send_batch WHERE settled_at IS NOT NULL GROUP BY 1
        ) u ON u.first = p.first
        """
    )


def _make_one() -> None:
    # ATTACH locks far less than CREATE ... PARTITION OF. Partitions are reached through the parent
    # alone: row security holds there, so the roles may not touch them directly.
    op.execute(
        f"""
        CREATE FUNCTION make_message_partition(first integer, below integer, campaign integer)
        RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
        DECLARE
            partition text := 'message_from_' || first;
        BEGIN
            EXECUTE format('CREATE TABLE public.%I (LIKE message INCLUDING ALL) '
                           'WITH (fillfactor = 50)', partition);
            EXECUTE format('REVOKE ALL ON public.%I FROM {BOUND_ROLE}, {SWEEP_ROLE}', partition);
            EXECUTE format('ALTER TABLE message ATTACH PARTITION public.%I '
                           'FOR VALUES FROM (%s) TO (%s)', partition, first, below);
            INSERT INTO message_partition (first_campaign, below, made_at, made_for)
            VALUES (first, below, now(), campaign);
        END $$
        """
    )
    op.execute(
        "REVOKE ALL ON FUNCTION make_message_partition(integer, integer, integer) FROM PUBLIC"
    )


def _make_ahead() -> None:
    # The next one is made while a quarter of the newest is left, by whoever writes a draft: so it
    # is there before a campaign can start, and nobody waits for whoever is making it. Ids without
    # a partition, which only jumps of the sequence leave, get theirs when they are met.
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION ensure_message_partition(campaign integer) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        DECLARE
            here message_partition;
            first integer;
            wide bigint;
        BEGIN
            FOR attempt IN 1 .. 2 LOOP
                SELECT * INTO here FROM message_partition
                WHERE first_campaign <= campaign ORDER BY first_campaign DESC LIMIT 1;
                IF campaign < here.below THEN
                    IF campaign < here.below - (here.below - here.first_campaign) / 4
                        OR EXISTS (SELECT FROM message_partition WHERE first_campaign >= here.below)
                    THEN RETURN; END IF;
                    IF attempt = 1
                        AND NOT pg_try_advisory_xact_lock(hashtext('ensure_message_partition'))
                    THEN RETURN; END IF;
                ELSIF attempt = 1 THEN
                    PERFORM pg_advisory_xact_lock(hashtext('ensure_message_partition'));
                END IF;
            END LOOP;
            first := greatest(here.below, campaign - campaign % {CAMPAIGNS_MIN});
            wide := greatest({CAMPAIGNS_MIN}, least(
                (campaign - here.made_for)
                    * (extract(epoch FROM {SPAN})
                       / greatest(extract(epoch FROM now() - here.made_at), 1)),
                {GROWTH_MAX}::bigint * (here.below - here.first_campaign),
                {CAMPAIGNS_MAX}));
            PERFORM make_message_partition(
                first,
                least(first + wide, 2147483647,
                      (SELECT min(first_campaign) FROM message_partition
                       WHERE first_campaign > first))::integer,
                campaign);
        END $$
        """
    )


def downgrade() -> None:
    # Wider partitions stay as they are: the function of the release before finds them by no name,
    # and would make overlapping ones, so it goes by the range of each.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION ensure_message_partition(campaign integer) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        DECLARE
            lowest integer := campaign - campaign % 1000;
            partition text := 'message_from_' || lowest;
        BEGIN
            IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
            PERFORM pg_advisory_xact_lock(hashtext('ensure_message_partition'));
            IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
            EXECUTE format('CREATE TABLE public.%I (LIKE message INCLUDING ALL) '
                           'WITH (fillfactor = 50)', partition);
            EXECUTE format('REVOKE ALL ON public.%I FROM retail_bound, retail_sweep', partition);
            BEGIN
                EXECUTE format('ALTER TABLE message ATTACH PARTITION public.%I '
                               'FOR VALUES FROM (%s) TO (%s)',
                               partition, lowest, lowest + 1000);
            EXCEPTION WHEN invalid_object_definition THEN
                -- a wider one of the later release covers it
                EXECUTE format('DROP TABLE public.%I', partition);
            END;
        END $$
        """
    )
    op.execute("DROP FUNCTION make_message_partition(integer, integer, integer)")
    op.execute("DROP TABLE message_partition")
