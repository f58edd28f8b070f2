"""Wallets and their ledger."""
