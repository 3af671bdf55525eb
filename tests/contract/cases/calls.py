"""What a call of each operation looks like when nothing is wrong with it; $names are those of the fixture `world`."""

from gateway import operations as _operations
from gateway.operations.catalogue import CATALOGUE, Operation

assert _operations.__path__  # importing it fills the catalogue

OPERATIONS = {operation.name: operation for operation in CATALOGUE.values()}

# Where the catalogue's example names an id, the account's own one takes its place.
_OWN = {"idtemplate": "$template", "idgroup": "$group", "idcontact": "$contact", "messages": "$message"}


def good(operation: str) -> dict[str, str]:
    """The parameters of the catalogue's example, with ids of the account's own."""
    example = {name: value.replace("$", "$$") for name, value in OPERATIONS[operation].example.items()}
    return {name: _OWN.get(name, value) for name, value in example.items()}


def names(operation: Operation, *, compulsory: bool) -> list[str]:
    """The wire names of an operation's compulsory parameters, or of its optional ones."""
    fields = operation.parameters.model_fields
    return [field.alias or name for name, field in fields.items() if field.is_required() is compulsory]
