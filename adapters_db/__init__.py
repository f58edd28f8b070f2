"""PostgreSQL: the core's stores, queries and units of work in SQL."""
