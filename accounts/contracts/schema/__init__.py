"""The OpenAPI description of the contracts, made from their operations, bodies and error tables.

An operation declares its own errors. The errors that any request can have follow from the view, and the responses to
all of them from the contract's error table and error body.
"""
