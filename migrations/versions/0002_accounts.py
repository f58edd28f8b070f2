"""Sessions and the refresh tokens that came of them."""

from alembic import op

from migrations.row_security import enable_row_security

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE session (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_id integer NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            ip text CHECK (char_length(ip) <= 45),
            user_agent text CHECK (char_length(user_agent) <= 500),
            created_at timestamptz NOT NULL,
            last_used_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL,
            generation integer NOT NULL CHECK (generation >= 1),
            rotated_at timestamptz NOT NULL,
            revoked_at timestamptz,
            UNIQUE (account_id, id),
            CHECK (expires_at <= ends_at)
        )
        """
    )
    op.execute("CREATE INDEX session_expires_at_idx ON session (expires_at)")
    enable_row_security("session")
    op.execute(
        """
        CREATE TABLE refresh_token (
            hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
            account_id integer NOT NULL,
            session_id integer NOT NULL,
            generation integer NOT NULL CHECK (generation >= 1),
            expires_at timestamptz NOT NULL,
            FOREIGN KEY (account_id, session_id) REFERENCES session (account_id, id)
                ON DELETE CASCADE
        )
        """
    )
    op.execute(
        "CREATE INDEX refresh_token_account_id_session_id_idx "
        "ON refresh_token (account_id, session_id)"
    )
    op.execute("CREATE INDEX refresh_token_expires_at_idx ON refresh_token (expires_at)")
    enable_row_security("refresh_token")


def downgrade() -> None:
    op.execute("DROP TABLE refresh_token")
    op.execute("DROP TABLE session")
