"""Contacts in memory."""
