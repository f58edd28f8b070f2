"""A stand-in for Mitto that speaks its protocol and writes down all it was asked to send."""
