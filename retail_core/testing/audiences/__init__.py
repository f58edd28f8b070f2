"""Audiences in memory."""
