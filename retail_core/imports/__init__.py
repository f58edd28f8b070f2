"""Contacts from a file, row by row, with a reason for each rejected row."""
