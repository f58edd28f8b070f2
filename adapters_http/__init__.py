"""The HTTP API: the core's use cases and queries as Falcon resources."""
