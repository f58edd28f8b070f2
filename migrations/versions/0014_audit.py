"""The audit log: added to, read, and forgotten by age alone."""

from alembic import op

from migrations.row_security import enable_row_security, make_append_only

revision = "0014"
down_revision = "0013"

LIFE_DAYS = 730


def upgrade() -> None:
    # The words of actions and kinds are checked by their letters: digits, blanks and signs that
    # numbers, addresses and names have cannot get in.
    op.execute(
        """
        CREATE TABLE audit_entry (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            -- No reference: what was done outlives what it was done to.
            account_id integer,
            agent text NOT NULL
                CHECK (agent IN ('system', 'visitor', 'user', 'api_key', 'operator')),
            agent_account_id integer,
            session_id integer,
            api_key_id integer,
            request_id text CHECK (request_id ~ '^[A-Za-z0-9._-]{1,64}$'),
            address text CHECK (char_length(address) <= 45),
            action text NOT NULL CHECK (action ~ '^[a-z_]{1,40}$'),
            kind text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
            id bigint,
            details jsonb NOT NULL
                CHECK (jsonb_typeof(details) = 'object' AND octet_length(details::text) <= 1000)
        )
        """
    )
    op.execute("CREATE INDEX audit_entry_at_idx ON audit_entry (at)")
    op.execute("CREATE INDEX audit_entry_account_id_number_idx ON audit_entry (account_id, number)")
    op.execute("CREATE INDEX audit_entry_action_number_idx ON audit_entry (action, number)")
    enable_row_security("audit_entry")
    make_append_only("audit_entry")
    # by age alone: the trigger refuses whatever is younger
    op.execute("GRANT DELETE ON audit_entry TO retail_sweep")
    # what is removed is locked first, and that is a right to update; an identity never changes
    op.execute("GRANT UPDATE (number) ON audit_entry TO retail_sweep")
    _hold_the_owner_to_it()


def _hold_the_owner_to_it() -> None:
    """Roles do not bind the table's owner; a trigger does."""
    op.execute(
        f"""
        CREATE FUNCTION keep_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.at < now() - interval '{LIFE_DAYS} days' THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'the audit log can only be added to'
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_entry_kept BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION keep_audit_entry()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_not_emptied BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entry()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE audit_entry")
    op.execute("DROP FUNCTION keep_audit_entry()")
