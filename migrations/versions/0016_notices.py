"""What owners must hear, tokens that set a new password, and when credits ran low."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE notice (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            kind text NOT NULL CHECK (kind IN ('password_reset', 'campaign_paused',
                'campaign_failed', 'campaign_finished', 'credits_low')),
            cause text NOT NULL CHECK (char_length(cause) <= 200),
            campaign_id integer,
            created_at timestamptz NOT NULL,
            touched_at timestamptz NOT NULL,
            attempts smallint NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 5),
            claimed_until timestamptz,
            done_at timestamptz,
            -- What an owner hears of, they hear of once.
            UNIQUE (account_id, cause),
            CHECK (done_at IS NULL OR claimed_until IS NULL),
            CHECK ((campaign_id IS NOT NULL) = (kind LIKE 'campaign%')),
            FOREIGN KEY (account_id, campaign_id) REFERENCES campaign (account_id, id)
        )
        """
    )
    op.execute("CREATE INDEX notice_created_at_idx ON notice (created_at)")
    op.execute("CREATE INDEX notice_touched_at_idx ON notice (touched_at) WHERE done_at IS NULL")
    enable_row_security("notice")
    op.execute(
        """
        CREATE TABLE password_reset (
            account_id integer PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
            expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX password_reset_expires_at_idx ON password_reset (expires_at)")
    enable_row_security("password_reset")
    # Since when the owner knows that few credits are left; empty again once more are given.
    op.execute("ALTER TABLE wallet ADD COLUMN low_since timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE wallet DROP COLUMN low_since")
    op.execute("DROP TABLE password_reset")
    op.execute("DROP TABLE notice")
