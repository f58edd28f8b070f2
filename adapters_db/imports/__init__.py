"""Imports: staged, merged and taken back."""
