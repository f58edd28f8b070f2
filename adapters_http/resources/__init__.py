"""The resources by area. Each module has a `ROUTES` tuple: its rows of the table."""
