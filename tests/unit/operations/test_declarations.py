"""What every declaration of the catalogue must hold."""

import re

import pytest
from pydantic import TypeAdapter

import gateway.operations  # noqa: F401 (fills the catalogue)
from gateway.operations.catalogue import CATALOGUE, Operation, Parameters
from gateway.operations.errors import Code

OPERATIONS = [pytest.param(operation, id=operation.name) for operation in CATALOGUE.values()]

# Name: (compulsory parameters, optional ones), as published.
TEMPLATES_AND_GROUPS = {
    "template.addtemplate": ({"title", "message"}, {"type"}),
    "template.gettemplates": (set(), {"type"}),
    "template.deletetemplate": ({"idtemplate"}, set()),
    "group.creategroup": ({"name"}, {"type", "fields"}),
    "group.getgroups": (set(), set()),
    "group.deletegroup": ({"idgroup"}, set()),
    "group.getfields": ({"idgroup"}, set()),
    "group.addfield": ({"idgroup", "field"}, set()),
    "group.deletefield": ({"idgroup", "field"}, set()),
    # The number is compulsory too, but has an error code of its own.
    "group.addcontact": ({"idgroup"}, {"mobile", "fields"}),
    "group.modifycontact": ({"idcontact"}, {"mobile", "fields"}),
    "group.deletecontact": ({"idcontact"}, set()),
    "group.getcontacts": ({"idgroup"}, {"after", "limit"}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_example_is_a_valid_call(operation: Operation) -> None:
    operation.parameters.model_validate(operation.example)
    assert set(operation.example) <= wire_names(operation.parameters)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_summary_is_one_sentence(operation: Operation) -> None:
    assert operation.summary.endswith(".")
    assert "\n" not in operation.summary


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_errors_are_codes_of_its_own(operation: Operation) -> None:
    assert all(isinstance(code, Code) for code in operation.errors)
    assert len(set(operation.errors)) == len(operation.errors)
    assert not {Code.MISSING_USER, Code.INCORRECT_PARAM, Code.INTERNAL_ERROR} & set(operation.errors)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_name_is_lower_case(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+", operation.name)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_parameters_and_result_have_schemas(operation: Operation) -> None:
    for name, schema in operation.parameters.model_json_schema()["properties"].items():
        kinds = {part.get("type") for part in schema.get("anyOf", [schema])}
        assert kinds <= {"string", "null"}, name
    assert TypeAdapter(operation.result).json_schema(mode="serialization")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_texts_and_secrets_name_parameters(operation: Operation) -> None:
    # A base class may name what only some of its operations take.
    own = vars(operation.parameters)
    declared = own.get("TEXTS", frozenset()) | own.get("SECRETS", frozenset())
    assert wire_names(operation.parameters) >= declared


@pytest.mark.parametrize("name", TEMPLATES_AND_GROUPS)
def test_parameters_are_those_published(name: str) -> None:
    class_name, method = name.split(".")
    fields = CATALOGUE[class_name, method].parameters.model_fields
    compulsory = {name for name, field in fields.items() if field.is_required()}
    assert (compulsory, set(fields) - compulsory) == TEMPLATES_AND_GROUPS[name]
    assert all(field.description for field in fields.values())


def wire_names(parameters: type[Parameters]) -> set[str]:
    return {field.alias or name for name, field in parameters.model_fields.items()}
