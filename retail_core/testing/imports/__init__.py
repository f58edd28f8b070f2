"""Imports in memory."""
