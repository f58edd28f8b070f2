"""Requests and replies: routes, bodies, values in addresses, uploads, idempotency."""
