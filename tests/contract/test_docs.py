"""The pages made from the code are what the code says, and nothing is left unexplained."""

from pathlib import Path

import pytest

from gateway import docs
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.errors import MEANING, Code
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(docs.PAGES))
def test_page_is_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text("utf-8")
    assert written == docs.PAGES[name](), f"docs/{name} is out of date: run `make docs`"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_setting_is_explained(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description and description.endswith(".")


@pytest.mark.parametrize("code", list(Code))
def test_error_is_explained(code: Code) -> None:
    assert MEANING[code].endswith(".")


@pytest.mark.parametrize("key", sorted(CATALOGUE), ids=".".join)
def test_operation_is_explained(key: tuple[str, str]) -> None:
    operation = CATALOGUE[key]
    assert operation.summary.endswith(".")
    for name, field in operation.parameters.model_fields.items():
        assert field.description, f"{operation.name}: the parameter {name} has no description"
    operation.parameters.model_validate(dict(operation.example))
