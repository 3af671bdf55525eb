"""What every table is declared with."""

from sqlalchemy import BigInteger, Column, Integer, MetaData

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
