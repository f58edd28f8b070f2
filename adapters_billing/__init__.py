"""Stripe: the core's purchases over the network."""
