"""Single messages: automations, tests and confirmations, each with its own text."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE single_message (
            number bigint PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id),
            kind text NOT NULL CHECK (kind IN ('automation', 'test', 'confirmation')),
            occasion text NOT NULL,
            reason text NOT NULL,
            campaign_id integer,
            contact_id integer,
            phone bigint,
            sender text NOT NULL,
            text text,
            encoding smallint NOT NULL,
            parts smallint NOT NULL CHECK (parts > 0),
            credits integer NOT NULL CHECK (credits >= 0),
            -- Whether the credits are still held; each message settles them once.
            holds boolean NOT NULL,
            state smallint NOT NULL CHECK (state BETWEEN 0 AND 6),
            not_before timestamptz,
            tries integer NOT NULL DEFAULT 0,
            ref uuid,
            lease_until timestamptz,
            provider_id text,
            error_code text,
            error text,
            created_at timestamptz NOT NULL,
            submitted_at timestamptz,
            sent_at timestamptz,
            delivered_at timestamptz,
            failed_at timestamptz,
            updated_at timestamptz NOT NULL,
            UNIQUE (account_id, occasion),
            CHECK ((state = 1) = (lease_until IS NOT NULL)),
            CHECK (state NOT IN (1, 2) OR ref IS NOT NULL),
            CHECK (kind <> 'test' OR contact_id IS NULL),
            -- What was never accepted gives its credits back at once.
            CHECK (state < 3 OR NOT holds),
            FOREIGN KEY (account_id, campaign_id) REFERENCES campaign (account_id, id)
        )
        """
    )
    op.execute("CREATE INDEX single_message_due_idx ON single_message (number) WHERE state = 0")
    op.execute(
        "CREATE INDEX single_message_lease_until_idx ON single_message (lease_until) "
        "WHERE lease_until IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX single_message_unknown_idx ON single_message (submitted_at) WHERE state = 2"
    )
    op.execute("CREATE INDEX single_message_ref_idx ON single_message (ref)")
    op.execute("CREATE INDEX single_message_provider_id_idx ON single_message (provider_id)")
    op.execute(
        "CREATE INDEX single_message_account_id_contact_id_idx "
        "ON single_message (account_id, contact_id)"
    )
    op.execute(
        "CREATE INDEX single_message_campaign_id_idx ON single_message (campaign_id) "
        "WHERE campaign_id IS NOT NULL"
    )
    enable_row_security("single_message")


def downgrade() -> None:
    op.execute("DROP TABLE single_message")
