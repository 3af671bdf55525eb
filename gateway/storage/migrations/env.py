"""How Alembic meets our database: in the transaction that `storage.migrate` has begun and locked."""

from alembic import context

from gateway.storage.partitions import is_partition
from gateway.storage.schema import complete


def _ours(name: str | None, kind: str, _: object) -> bool:
    """Partitions come and go with the days; they are no part of the schema."""
    return kind != "table" or name is None or not is_partition(name)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=complete(),
    include_name=_ours,
    render_as_batch=True,
)
context.run_migrations()
