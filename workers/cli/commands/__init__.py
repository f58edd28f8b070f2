"""The commands by area."""
