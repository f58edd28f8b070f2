"""The connection to PostgreSQL: the pool, open transactions, and how statements are asked."""
