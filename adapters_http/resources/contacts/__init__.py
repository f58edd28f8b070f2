"""Contacts, consent, suppressions, and leaving by a link."""
