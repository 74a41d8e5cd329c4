"""Runs the migrations on the connection that `data.database` hands over, all of them in one transaction."""

from alembic import context

from data.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
