"""What operations take and give, as JSON Schema 2020-12, from the models of the catalogue."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from gateway.operations.catalogue import Operation

Schema = dict[str, Any]

REF = "#/components/schemas/{model}"

OUTPUT: Schema = {
    "type": "string",
    "enum": ["json", "xml"],
    "default": "json",
    "description": "The form of the answer.",
}
USER: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The access's login, or the account's e-mail.",
}
PASSWORD: Schema = {
    "type": "string",
    "minLength": 1,
    "format": "password",
    "description": "The access's secret, or the account's password.",
}

_DATE: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "examples": ["2030-01-31 09:30:00"],
}


class _Wire(GenerateJsonSchema):
    """Results as the front ends write them: exact amounts as numbers, dates in the account's time zone."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """An amount."""
        return {"type": "number"}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        """A date as text."""
        return dict(_DATE)


def parameters(operation: Operation) -> dict[str, Schema]:
    """The parameters beside the credentials by their names on the wire, those that are compulsory first."""
    found = operation.parameters.model_json_schema(schema_generator=_Wire)
    compulsory = found.get("required", ())
    properties = {name: _parameter(schema) for name, schema in found.get("properties", {}).items()}
    for name, example in operation.example.items():
        properties[name]["examples"] = [example]
    for name in compulsory:
        # An empty value counts as not given.
        properties[name].setdefault("minLength", 1)
    return dict(sorted(properties.items(), key=lambda item: item[0] not in compulsory))


def compulsory(operation: Operation) -> list[str]:
    """The names of the compulsory parameters."""
    return [field.alias or name for name, field in operation.parameters.model_fields.items() if field.is_required()]


def result(operation: Operation) -> tuple[Schema, dict[str, Schema]]:
    """The schema of a successful result, and the components that it refers to."""
    found = TypeAdapter(operation.result).json_schema(mode="serialization", ref_template=REF, schema_generator=_Wire)
    components = {name: _short(schema) for name, schema in found.pop("$defs", {}).items()}
    if found.get("type") == "object":
        components[operation.result.__name__] = _short(found)
        found = {"$ref": REF.format(model=operation.result.__name__)}
    return _short(found), components


def body(operation: Operation, *, credentials: bool) -> Schema:
    """What a request's body holds at the path of an operation."""
    before = {"user": USER, "password": PASSWORD} if credentials else {}
    schema: Schema = {
        "type": "object",
        "properties": {**before, **parameters(operation), "output": OUTPUT},
    }
    if required := [*before, *compulsory(operation)]:
        schema["required"] = required
    return schema


def _parameter(schema: Schema) -> Schema:
    """A parameter's own schema: that it may be left out is said elsewhere."""
    found = dict(schema)
    for one in found.pop("anyOf", ()):
        if one.get("type") != "null":
            found = {**one, **found}
    found.pop("title", None)
    if found.get("default") is None:
        found.pop("default", None)
    else:
        found["default"] = str(found["default"])
    return {"type": found.pop("type"), **found}


def _or_null(schema: Schema) -> Schema:
    """A schema of "this or null" in the short form, where there is one."""
    found = {key: value for key, value in schema.items() if key != "anyOf"}
    match schema["anyOf"]:
        case [{"type": str(name)} as one, {"type": "null"}] if "enum" not in one:
            return {**one, **found, "type": [name, "null"]}
    return schema


def _short(schema: Any) -> Any:
    """A schema without the titles that pydantic makes of the names, and in short forms."""
    if isinstance(schema, list):
        return [_short(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "anyOf" in schema:
        schema = _or_null(schema)
    return {
        name: {key: _short(one) for key, one in value.items()} if name == "properties" else _short(value)
        for name, value in schema.items()
        if name != "title" or not isinstance(value, str)
    }
