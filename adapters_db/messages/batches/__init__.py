"""Batches of frozen recipients: claimed, cut and settled."""
