"""What every table is declared with."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in an INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")


def number(name: str, *rest: object, null: bool = False) -> Column[int]:
    """A 64-bit column: a time, an amount or an id; NOT NULL unless `null`."""
    return Column(name, BigInteger, *rest, nullable=null)  # type: ignore[arg-type]


# SQLAlchemy loads a dialect with all its drivers as soon as an option of it is named: megabytes of every process
# that only queries. So the options stand aside until `complete`.
_WHERE, _PARTITION_BY = "where", "partition_by"


def where(condition: str) -> dict[str, Any]:
    """What a partial index is limited to, on either database: its `info`."""
    return {_WHERE: condition}


def partitioned(by: str) -> dict[str, Any]:
    """What a table is partitioned by on PostgreSQL: its `info`."""
    return {_PARTITION_BY: by}


def complete() -> MetaData:
    """The metadata with the dialects' options: for making the tables and for comparing them."""
    for table in metadata.tables.values():
        if _PARTITION_BY in table.info:
            table.dialect_options["postgresql"]["partition_by"] = table.info[_PARTITION_BY]
        for index in table.indexes:
            if _WHERE in index.info:
                for dialect in ("sqlite", "postgresql"):
                    index.dialect_options[dialect]["where"] = text(index.info[_WHERE])
    return metadata
