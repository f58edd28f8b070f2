"""Single messages."""
