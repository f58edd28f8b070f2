"""What every area shares: the outbox, idempotency, the audit log, periodic jobs."""
