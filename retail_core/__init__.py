"""The business of a shop that writes to its customers, without any technology."""
