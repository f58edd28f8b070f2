"""Accounts, sign-in, sessions, keys and profile."""
