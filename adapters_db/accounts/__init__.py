"""Accounts, their sessions and keys, and closing them."""
