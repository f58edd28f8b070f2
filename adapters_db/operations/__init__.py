"""What keeps the database tidy: retention, failed jobs, who leads."""
