"""In-memory adapters, fakes and builders, for our tests and for other services that embed the core."""
