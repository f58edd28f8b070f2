"""What the database adapter must be told, with every limit by name."""

import attrs


@attrs.frozen
class DatabaseSettings:
    """Where the database is and how patient we are with it.

    `url` may lead through a transaction pooler; `direct_url` must not (migrations, LISTEN and the
    scheduler's lock live longer than a transaction).
    """

    url: str
    direct_url: str
    application_name: str = "retail"
    pool_connections: int = 5
    pool_overflow_connections_max: int = 10
    pool_timeout_seconds: int = 10
    connect_timeout_seconds: int = 5
    statement_timeout_seconds: int = 60
    lock_timeout_seconds: int = 10
    idle_in_transaction_timeout_seconds: int = 60
