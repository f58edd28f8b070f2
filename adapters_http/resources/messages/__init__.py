"""The message log, and what the gateway says of messages."""
