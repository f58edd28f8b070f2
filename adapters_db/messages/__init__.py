"""Messages: batches, single messages, reports, doubt and the log."""
