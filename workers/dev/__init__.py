"""Everything at once, for development: `python -m workers.dev`, which is what `make run` calls."""
