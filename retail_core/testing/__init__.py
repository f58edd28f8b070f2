"""In-memory adapters, fakes and builders, for our tests and for services that embed the core."""
