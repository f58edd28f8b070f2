"""Who sees which rows, as the database itself enforces it.

Two roles without a login exist in the whole cluster. Every transaction of the application takes
one of them: the bound role sees the rows of the account in the setting `retail.account`, the
sweep role sees all. The owner of the tables (who migrates) is not subject to row security.
"""

from alembic import op

BOUND_ROLE = "retail_bound"
SWEEP_ROLE = "retail_sweep"

CURRENT_ACCOUNT = "NULLIF(current_setting('retail.account', true), '')::int"
"""NULL outside of a bound transaction: no row equals it, so nothing is seen."""


def enable_row_security(table: str, account_column: str = "account_id") -> None:
    """The bound role sees and writes its account's rows of `table`, the sweep role all."""
    enable_row_security_where(table, f"{account_column} = {CURRENT_ACCOUNT}")


def enable_row_security_where(table: str, condition: str) -> None:
    """As `enable_row_security`, for a table with a rule of its own."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_bound ON {table} TO {BOUND_ROLE} "
        f"USING ({condition}) WITH CHECK ({condition})"
    )
    op.execute(
        f"CREATE POLICY {table}_sweep ON {table} TO {SWEEP_ROLE} USING (true) WITH CHECK (true)"
    )


def enable_row_security_for_sweeps_only(table: str) -> None:
    """A table without shops' data: no bound transaction has any business with it."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_sweep ON {table} TO {SWEEP_ROLE} USING (true) WITH CHECK (true)"
    )
    op.execute(f"REVOKE ALL ON {table} FROM {BOUND_ROLE}")


def make_append_only(table: str) -> None:
    """Neither role may change or delete rows of `table`."""
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {BOUND_ROLE}, {SWEEP_ROLE}")


def create_roles() -> None:
    """Make both roles if they are missing, and let the present login take them.

    Roles belong to the cluster: another database's migration may make them at this very moment.
    """
    for role in (BOUND_ROLE, SWEEP_ROLE):
        op.execute(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} NOLOGIN;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """
        )
        op.execute(
            f"""
            DO $$ BEGIN
                IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                    EXECUTE format('GRANT {role} TO %I', current_user);
                END IF;
            -- Somebody else made the role and has granted it: then we need no right to grant it.
            EXCEPTION WHEN insufficient_privilege THEN
                IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN RAISE; END IF;
            END $$
            """
        )
    roles = f"{BOUND_ROLE}, {SWEEP_ROLE}"
    op.execute(
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {roles}"
    )
    op.execute(f"ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {roles}")


def drop_roles() -> None:
    """Take our grants back; the roles themselves stay if another database still uses them."""
    for role in (BOUND_ROLE, SWEEP_ROLE):
        op.execute(f"DROP OWNED BY {role}")
        op.execute(
            f"""
            DO $$ BEGIN
                DROP ROLE {role};
            EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
            END $$
            """
        )
