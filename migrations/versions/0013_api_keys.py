"""API keys: a hash of the text, never the text; they stay on the owner's list when they end."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE api_key (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
            prefix text NOT NULL CHECK (char_length(prefix) = 12),
            hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
            scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
            created_at timestamptz NOT NULL,
            last_used_at timestamptz,
            expires_at timestamptz CHECK (expires_at > created_at),
            revoked_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX api_key_account_id_id_idx ON api_key (account_id, id)")
    enable_row_security("api_key")


def downgrade() -> None:
    op.execute("DROP TABLE api_key")
