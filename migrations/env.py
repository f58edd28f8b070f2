"""How Alembic runs our revisions: over the connection that `migrate` opened."""

from alembic import context
from sqlalchemy import Connection

from adapters_db.tables import metadata


def run(connection: Connection) -> None:
    """Run each revision in a transaction of its own, so that a failure loses only itself."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
