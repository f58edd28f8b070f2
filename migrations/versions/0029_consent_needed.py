"""Nobody is subscribed without a fact that says so, and the facts cannot be emptied either.

A contact and the fact behind them are written in one transaction, in whatever order: looked at when
it commits. Only the way up is barred; somebody who is wrongly left out is not sent to.
"""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION contact_needs_consent() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            whom integer := CASE TG_TABLE_NAME WHEN 'contact' THEN NEW.id
                ELSE (to_jsonb(NEW) ->> 'contact_id')::integer END;
        BEGIN
            IF EXISTS (
                SELECT FROM contact c
                WHERE c.id = whom AND c.account_id = NEW.account_id AND c.is_subscribed
            ) AND coalesce((
                SELECT e.type FROM consent_event e
                WHERE e.account_id = NEW.account_id AND e.contact_id = whom
                    AND e.type <> 'requested'
                ORDER BY e.id DESC LIMIT 1
            ), 'withdrawn') = 'withdrawn' THEN
                RAISE EXCEPTION 'nobody is subscribed whose last fact does not grant it'
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contact_needs_consent';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    _check("contact_needs_consent_new", "INSERT ON contact", "NEW.is_subscribed")
    _check(
        "contact_needs_consent_changed",
        "UPDATE ON contact",
        "NEW.is_subscribed AND NOT OLD.is_subscribed",
    )
    _check("consent_event_takes_consent", "INSERT ON consent_event", "NEW.type = 'withdrawn'")
    op.execute(
        "CREATE TRIGGER consent_event_is_not_emptied BEFORE TRUNCATE ON consent_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION consent_event_is_append_only()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER consent_event_is_not_emptied ON consent_event")
    op.execute("DROP TRIGGER consent_event_takes_consent ON consent_event")
    op.execute("DROP TRIGGER contact_needs_consent_changed ON contact")
    op.execute("DROP TRIGGER contact_needs_consent_new ON contact")
    op.execute("DROP FUNCTION contact_needs_consent()")


def _check(name: str, after: str, when: str) -> None:
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {after} DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION contact_needs_consent()"
    )
