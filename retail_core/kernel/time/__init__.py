"""The clock and time zones."""
