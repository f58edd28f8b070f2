"""What people text back, in memory."""
