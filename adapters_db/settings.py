"""What the database adapter must be told, with every limit by name."""

from typing import Final, Self

import attrs

from retail_core.kernel.settings import Env

BCRYPT_COST: Final = 12
SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")


@attrs.frozen
class DatabaseSettings:
    """Where the database is and how patient we are with it.

    `url` may lead through a transaction pooler; `direct_url` must not (migrations, LISTEN and the
    scheduler's lock live longer than a transaction).
    """

    url: str = attrs.field(repr=False)
    direct_url: str = attrs.field(repr=False)
    application_name: str = "retail"
    pool_connections: int = 15
    pool_overflow_connections_max: int = 0
    pool_timeout_seconds: int = 10
    connect_timeout_seconds: int = 5
    statement_timeout_seconds: int = 60
    lock_timeout_seconds: int = 10
    idle_in_transaction_timeout_seconds: int = 60
    bcrypt_cost: int = BCRYPT_COST

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; problems are collected by `env`."""
        url = env.secret_url("DATABASE_URL", schemes=SCHEMES).reveal()
        direct = env.secret_url("DIRECT_DATABASE_URL", default=url, schemes=SCHEMES).reveal()
        cost = env.integer("BCRYPT_COST", default=BCRYPT_COST, minimum=4, maximum=16)
        return cls(url=url, direct_url=direct, bcrypt_cost=cost)
