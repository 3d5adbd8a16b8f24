"""A plugin of dbt-duckdb that gives every session what the macro pseudonym() hashes with.

In a profile: ``plugins: [{module: customer_value.pseudonyms}]``. The library never imports dbt;
this module has to, since a plugin is a subclass of dbt-duckdb's and is loaded by it alone:
nothing else in the library imports this module.

The two blocks of the HMAC live in variables of the session, which DuckDB keeps in memory and
gives to no other session. Models name the variables, so neither the compiled SQL nor a view nor a
log holds a value of theirs. Whoever may run SQL in such a session may read them, and from them
the key: whoever may change the project's models can undo pseudonyms, whoever reads its tables
can't.
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from customer_value.keyed_hash import set_variables


class Plugin(BasePlugin):
    """Sets the variables of each session; a cursor inherits none from its connection."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Set them for the connection that all cursors come from."""
        set_variables(conn)

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Set them for a thread's cursor, which Python models use too."""
        set_variables(cursor)
