"""Contacts, consent and suppressions."""
