"""Notices in memory."""
