"""What is asked of the public API fits the public schema."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from connectors import public_api_documents, sale_documents
from connectors.public_api_documents import Operation

SCHEMA = build_schema((Path(__file__).parents[2] / "schema" / "schema.graphql").read_text())
OPERATIONS = {
    name: value
    for name, value in {**vars(public_api_documents), **vars(sale_documents)}.items()
    if isinstance(value, Operation)
}


def test_there_is_something_to_ask() -> None:
    assert len(OPERATIONS) == 18


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_document_is_valid(name: str) -> None:
    assert validate(SCHEMA, parse(OPERATIONS[name].document)) == []
