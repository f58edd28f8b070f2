"""Notices and password resets."""
