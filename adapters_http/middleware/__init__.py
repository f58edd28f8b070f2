"""What happens to every request on its way to its resource, in the order of the contract.

Method, origin, size, (limits by address), authentication, (limits by user), scope, idempotency,
body and parameters. Each check is a class of its own with one `process_resource`, so the order is
the order of one list in `app`.
"""
