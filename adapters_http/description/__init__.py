"""The description of the API as OpenAPI 3.1, written from the table of routes.

Nothing is described twice: paths, scopes, limits and statuses come from the rows, bodies and
parameters from the classes that read them, replies from the types that the shapes have.
"""
