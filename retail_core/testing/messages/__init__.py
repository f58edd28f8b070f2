"""Messages in memory, and a gateway."""
