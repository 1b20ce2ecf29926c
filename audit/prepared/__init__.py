"""Statements whose SQL is made once, not once a request.

To build and to compile a statement takes Django longer than everything else that a login or an authenticated request
does, except for the hash, and comes to the same text every time. The ORM makes the text here as well; only the values
of its parameters are put in anew.
"""

from audit.prepared.joined import PreparedUpdateAndInsert, PreparedUpdatedRow
from audit.prepared.rows import PreparedRows
from audit.prepared.text import Parameter
from audit.prepared.writes import PreparedInsert, PreparedUpdate, update_query

__all__ = [
    "Parameter",
    "PreparedInsert",
    "PreparedRows",
    "PreparedUpdate",
    "PreparedUpdateAndInsert",
    "PreparedUpdatedRow",
    "update_query",
]
