"""The kernel in memory: tables, the clock, randomness, outbox and audit log."""
