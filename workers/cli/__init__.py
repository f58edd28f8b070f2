"""The operator's command line: `python -m workers.cli COMMAND`."""
