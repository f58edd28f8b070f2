"""Campaigns in memory."""
