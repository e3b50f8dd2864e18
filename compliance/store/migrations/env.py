"""Alembic's entry: runs the revisions on the connection that `compliance.store.database` hands over.

It configures no logging and opens no connection of its own.
"""

from __future__ import annotations

from alembic import context

from compliance.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
