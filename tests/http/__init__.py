"""The API through its real app, without a socket."""
