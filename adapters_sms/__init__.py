"""The Mitto gateway: the core's messages over HTTP."""
