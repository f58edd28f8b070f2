"""Files of contacts and of numbers that are not sent to."""
