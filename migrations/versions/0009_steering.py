"""What steering needs: failures since the owner resumed, and turns among those who send."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # What was settled and had failed when the owner let a paused campaign go on: from there the
    # rate of failures is judged anew.
    op.execute(
        """
        ALTER TABLE campaign
            ADD COLUMN settled_at_resume integer NOT NULL DEFAULT 0 CHECK (settled_at_resume >= 0),
            ADD COLUMN failed_at_resume integer NOT NULL DEFAULT 0 CHECK (failed_at_resume >= 0)
        """
    )
    # A turn is a round in which each store has one batch. A store that begins joins the round after
    # the one being served, so that newcomers never keep a round from ending, and behind its own
    # batches that are being sent. What is paused holds up neither the rounds nor its store.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION first_free_turn(account integer) RETURNS bigint
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            SELECT greatest(
                (SELECT b.turn FROM send_batch b JOIN campaign c ON c.id = b.campaign_id
                 WHERE b.state = 'queued' AND b.account_id = account AND c.state = 'sending'
                 ORDER BY b.turn DESC LIMIT 1),
                (SELECT b.turn FROM send_batch b JOIN campaign c ON c.id = b.campaign_id
                 WHERE b.state = 'queued' AND c.state = 'sending'
                 ORDER BY b.turn LIMIT 1),
                0) + 1
        $$
        """
    )


def downgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION first_free_turn(account integer) RETURNS bigint
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
            SELECT greatest(
                (SELECT max(turn) FROM send_batch WHERE state = 'queued' AND account_id = account),
                (SELECT min(turn) FROM send_batch WHERE state = 'queued'),
                0) + 1
        $$
        """
    )
    op.execute("ALTER TABLE campaign DROP COLUMN settled_at_resume, DROP COLUMN failed_at_resume")
