"""Old messages lose what is personal by partition: a lean copy takes the place of all its rows."""

from alembic import op

from migrations.row_security import BOUND_ROLE, SWEEP_ROLE, enable_row_security_for_sweeps_only

revision = "0043"
down_revision = "0042"

STEPS = ("begin_lean_copy(integer, timestamptz)", "copy_lean(integer, integer)")
FOLLOWING = ("follow_lean(integer, integer)", "swap_lean(integer)")

COPIED = "campaign_id, seq, account_id, contact_id, state, encoding, parts, credits, error_code"
TIMES = "sent_at, delivered_at, failed_at, updated_at"
KEPT = f"{COPIED}, {TIMES}"
"""What stays of every message."""

OPENED = ("phone", "first_name", "last_name", "email", "provider_id", "error")
"""What stays only where the campaign is younger."""


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE message_partition
            -- Its campaigns are about to be old enough: nothing is taken off their messages until
            -- the whole partition is copied.
            ADD waits boolean NOT NULL DEFAULT false,
            -- Campaigns that ended before this are being copied without what is personal.
            ADD lean_before timestamptz,
            -- The last message that was copied.
            ADD copied_campaign integer,
            ADD copied_seq integer,
            -- When the copy took the place of the rows.
            ADD lean_at timestamptz
        """
    )
    op.execute(f"GRANT UPDATE (waits) ON message_partition TO {SWEEP_ROLE}")
    _note_changes()
    _begin()
    _copy()
    _follow()
    _swap()
    for step in (*STEPS, *FOLLOWING):
        op.execute(f"REVOKE ALL ON FUNCTION {step} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {step} TO {SWEEP_ROLE}")


def _note_changes() -> None:
    # One row for each change: of two changes of a message the second must not be taken for the
    # first, which may have been followed already when the second is committed.
    op.execute(
        """
        CREATE TABLE message_change (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            campaign_id integer NOT NULL,
            seq integer NOT NULL
        )
        """
    )
    enable_row_security_for_sweeps_only("message_change")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON message_change FROM {SWEEP_ROLE}")
    op.execute(
        """
        CREATE FUNCTION note_message_change() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                INSERT INTO message_change (campaign_id, seq) VALUES (OLD.campaign_id, OLD.seq);
            ELSE
                INSERT INTO message_change (campaign_id, seq) VALUES (NEW.campaign_id, NEW.seq);
            END IF;
            RETURN NULL;
        END $$
        """
    )


def _begin() -> None:
    # To add the trigger waits for those who are writing to this one partition, so from here on
    # every change is either in what is copied or noted. A vacuum of either would keep them from
    # being exchanged.
    op.execute(
        f"""
        CREATE FUNCTION begin_lean_copy(first integer, before timestamptz) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
        SET lock_timeout = '1s' AS $$
        DECLARE
            here message_partition;
            lean text := 'message_lean_' || first;
            fat text := 'message_from_' || first;
        BEGIN
            SELECT * INTO here FROM message_partition
            WHERE first_campaign = first AND lean_at IS NULL FOR UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN false; END IF;
            IF here.lean_before IS NOT NULL THEN RETURN true; END IF;
            EXECUTE format('CREATE TABLE public.%I (LIKE message INCLUDING ALL, CONSTRAINT '
                           'in_partition CHECK (campaign_id >= %s AND campaign_id < %s)) '
                           'WITH (autovacuum_enabled = false)', lean, first, here.below);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', lean);
            EXECUTE format('REVOKE ALL ON %I FROM {BOUND_ROLE}, {SWEEP_ROLE}', lean);
            EXECUTE format('CREATE TRIGGER change_is_noted AFTER INSERT OR UPDATE OR DELETE ON %I '
                           'FOR EACH ROW EXECUTE FUNCTION note_message_change()',
                           fat);
            EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', fat);
            UPDATE message_partition
            SET lean_before = before, copied_campaign = first, copied_seq = -1
            WHERE first_campaign = first;
            RETURN true;
        END $$
        """
    )


def _lean(condition: str) -> str:
    """Copies messages `m`; where their campaign is not old, for example a draft that was started
    meanwhile, with all they have.
    """
    opened = ", ".join(
        f"CASE WHEN c.finished_at < $3 AND c.state IN (''completed'', ''failed'', ''cancelled'') "
        f"THEN NULL ELSE m.{name} END"
        for name in OPENED
    )
    kept = ", ".join(f"m.{name}" for name in KEPT.split(", "))
    return (
        f"INSERT INTO %1$I ({KEPT}, {', '.join(OPENED)}) SELECT {kept}, {opened} "
        f"FROM ({condition}) m LEFT JOIN campaign c ON c.id = m.campaign_id "
        "ORDER BY m.campaign_id, m.seq"
    )


def _copy() -> None:
    # The place is kept in the transaction of the copy, so whoever dies loses the step or nothing.
    step = _lean(
        "SELECT * FROM %2$I WHERE (campaign_id, seq) > ($1, $2) ORDER BY campaign_id, seq LIMIT $4"
    )
    op.execute(
        f"""
        CREATE FUNCTION copy_lean(first integer, rows_max integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
        SET enable_seqscan = off SET enable_bitmapscan = off AS $$
        DECLARE
            here message_partition;
            lean text := 'message_lean_' || first;
            fat text := 'message_from_' || first;
            copied integer;
        BEGIN
            SELECT * INTO here FROM message_partition
            WHERE first_campaign = first AND lean_before IS NOT NULL AND lean_at IS NULL
            FOR UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN NULL; END IF;
            EXECUTE format('{step}', lean, fat)
            USING here.copied_campaign, here.copied_seq, here.lean_before, rows_max;
            GET DIAGNOSTICS copied = ROW_COUNT;
            EXECUTE format('SELECT campaign_id, seq FROM %I ORDER BY campaign_id DESC, seq DESC '
                           'LIMIT 1', lean)
            INTO here.copied_campaign, here.copied_seq;
            IF copied > 0 THEN
                UPDATE message_partition
                SET copied_campaign = here.copied_campaign, copied_seq = here.copied_seq
                WHERE first_campaign = first;
            END IF;
            RETURN copied;
        END $$
        """
    )


def _follow() -> None:
    # What is taken up here is committed, so the copies are made anew from what is there after it.
    step = _lean("SELECT f.* FROM %2$I f JOIN keys USING (campaign_id, seq)").replace(
        "INSERT INTO",
        "WITH keys AS (SELECT DISTINCT * FROM unnest($1::integer[], $2::integer[]) "
        "AS k (campaign_id, seq)) INSERT INTO",
    )
    op.execute(
        f"""
        CREATE FUNCTION follow_lean(first integer, rows_max integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        DECLARE
            here message_partition;
            lean text := 'message_lean_' || first;
            fat text := 'message_from_' || first;
            campaigns integer[];
            seqs integer[];
            told integer;
        BEGIN
            SELECT * INTO here FROM message_partition
            WHERE first_campaign = first AND lean_before IS NOT NULL AND lean_at IS NULL
            FOR UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN NULL; END IF;
            WITH taken AS (
                DELETE FROM message_change WHERE id = ANY (ARRAY(
                    SELECT id FROM message_change
                    WHERE campaign_id >= here.first_campaign AND campaign_id < here.below
                    ORDER BY id LIMIT rows_max))
                RETURNING campaign_id, seq
            )
            -- what was not copied yet will be
            SELECT count(*), array_agg(campaign_id) FILTER (WHERE is_copied),
                   array_agg(seq) FILTER (WHERE is_copied)
            INTO told, campaigns, seqs
            FROM (SELECT *, (campaign_id, seq) <= (here.copied_campaign, here.copied_seq)
                            AS is_copied FROM taken) t;
            IF campaigns IS NULL THEN RETURN told; END IF;
            EXECUTE format('DELETE FROM %I l USING unnest($1, $2) AS k (campaign_id, seq) '
                           'WHERE l.campaign_id = k.campaign_id AND l.seq = k.seq', lean)
            USING campaigns, seqs;
            EXECUTE format('{step}', lean, fat) USING campaigns, seqs, here.lean_before;
            RETURN told;
        END $$
        """
    )


def _swap() -> None:
    # Nobody reads or writes messages meanwhile, so it only follows the last changes and exchanges
    # names; files are removed after the commit. If somebody is in the middle of something long,
    # it gives up soon, since all others wait behind it.
    op.execute(
        """
        CREATE FUNCTION swap_lean(first integer) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
        SET lock_timeout = '300ms' AS $$
        DECLARE
            here message_partition;
            lean text := 'message_lean_' || first;
            fat text := 'message_from_' || first;
            is_left boolean;
        BEGIN
            SELECT * INTO here FROM message_partition
            WHERE first_campaign = first AND lean_before IS NOT NULL AND lean_at IS NULL
            FOR UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN NULL; END IF;
            LOCK TABLE ONLY message IN ACCESS EXCLUSIVE MODE;
            PERFORM follow_lean(first, 1000);
            EXECUTE format('SELECT EXISTS (SELECT FROM message_change '
                           '               WHERE campaign_id >= $1 AND campaign_id < $2) '
                           'OR EXISTS (SELECT FROM %I WHERE (campaign_id, seq) > ($3, $4))', fat)
            INTO is_left
            USING here.first_campaign, here.below, here.copied_campaign, here.copied_seq;
            IF is_left THEN RETURN false; END IF;
            EXECUTE format('DROP TABLE %I', fat);
            EXECUTE format('ALTER TABLE %I RENAME TO %I', lean, fat);
            EXECUTE format('ALTER TABLE message ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                           fat, first, here.below);
            EXECUTE format('ALTER TABLE %I DROP CONSTRAINT in_partition', fat);
            EXECUTE format('ALTER TABLE %I RESET (autovacuum_enabled)', fat);
            UPDATE message_partition SET lean_at = now(), waits = false
            WHERE first_campaign = first;
            RETURN true;
        END $$
        """
    )


def downgrade() -> None:
    begun = "SELECT first_campaign FROM message_partition WHERE lean_before IS NOT NULL "
    for (first,) in op.get_bind().exec_driver_sql(begun + "AND lean_at IS NULL").fetchall():
        op.execute(f"DROP TRIGGER change_is_noted ON message_from_{first}")
        op.execute(f"ALTER TABLE message_from_{first} RESET (autovacuum_enabled)")
        op.execute(f"DROP TABLE message_lean_{first}")
    for step in (*STEPS, *FOLLOWING):
        op.execute(f"DROP FUNCTION {step}")
    op.execute("DROP FUNCTION note_message_change()")
    op.execute("DROP TABLE message_change")
    op.execute(
        "ALTER TABLE message_partition DROP waits, DROP lean_before, DROP copied_campaign, "
        "DROP copied_seq, DROP lean_at"
    )
