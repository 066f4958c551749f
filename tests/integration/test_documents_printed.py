"""`onhand documents` prints a document as graphql-js does, to the last space: clients that hash
what they print find it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.commands.documents import documents_command
from tests.integration.javascript import node

QUERY = """query   Shown($first: Int = 50, $after: String, $text: String = "a\\tb", $x: Boolean!) {
  one: sku(code: "tab\\t \\u00e9 \\"quoted\\" 😀 and very, very, very, very, very, very long") {
    ...Named @include(if: $x), ... @skip(if: $x) { code } }
  skus(first: $first, after: $after, search: $text) { edges { node { code } } }
  block: sku(code: \"\"\"
    several
      lines
  \"\"\") { name }
  stockLevel(sku: "MUG", warehouse: "WEST", consistency: STRONG) { available } # here
}
fragment Named on Sku { name, code }
"""
MUTATION = """mutation { reserveStock(input: {id: "5d0f2b52-0f1e-4e2f-9df6-0a2f6c1b3c02", lines: [
  {sku: "MUG", quantity: 1}, {sku: "CUP", quantity: 2, warehouse: null}]}) { __typename } }"""
SUBSCRIPTION = """subscription($filter: StockFilter = {skus: ["MUG"]}) {
  stockChanged(filter: $filter) { available } }"""


@pytest.mark.parametrize("text", [QUERY, MUTATION, SUBSCRIPTION])
def test_a_document_is_printed_as_graphql_js_does(
    javascript: Path, tmp_path: Path, text: str
) -> None:
    source, output = tmp_path / "a.graphql", tmp_path / "documents.json"
    source.write_text(text)
    done = CliRunner().invoke(documents_command, [str(source), "-o", str(output)])
    assert done.exit_code == 0, done.output
    (made,) = json.loads(output.read_text()).values()
    printed = node("print_document.mjs", str(source), within=javascript)
    assert printed.returncode == 0, printed.stderr
    assert made == printed.stdout
