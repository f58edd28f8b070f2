"""A text that concerned several stores is emptied when the last of them forgets its sender."""

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    # Row security hides the scopes of other stores from the store that forgets, so the question
    # whether any is left is asked by the owner of the tables. The text's row is locked first: of
    # two stores that forget at once, the second sees that the first is gone.
    op.execute(
        """
        CREATE FUNCTION empty_inbound_text_of_nobody() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        BEGIN
            PERFORM FROM inbound_text WHERE id = OLD.inbound_id FOR UPDATE;
            UPDATE inbound_text
            SET raw = NULL, phone = NULL, text = NULL, message_id = NULL, fingerprint = NULL
            WHERE id = OLD.inbound_id
              AND NOT EXISTS (SELECT FROM inbound_scope WHERE inbound_id = OLD.inbound_id);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER inbound_scope_is_left AFTER DELETE ON inbound_scope "
        "FOR EACH ROW EXECUTE FUNCTION empty_inbound_text_of_nobody()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER inbound_scope_is_left ON inbound_scope")
    op.execute("DROP FUNCTION empty_inbound_text_of_nobody()")
