"""Single messages in memory."""
