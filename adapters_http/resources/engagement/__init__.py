"""What people text back, and asking them to confirm."""
