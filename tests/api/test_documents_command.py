"""`onhand documents`: what it makes is what the API takes; what the API would not take is told with
file and line, and then nothing is written."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.commands.documents import FILES_LIMIT, documents_command, named
from api.known_documents import read
from tests.api.shop import ENVIRON, open_shop

LEVEL = """# what the page of an article shows
query Level($sku: String!) {
  stockLevel(sku: $sku, warehouse: "WEST", consistency: STRONG) { ...Shown }
}
query Role { me { ...Who } }
"""
SHOWN = """fragment Shown on StockLevel { ...Numbers }
fragment Numbers on StockLevel { available }
"""
WHO = "fragment Who on Me { grants { role } }\nfragment Nobody on Me { subject }\n"
Ran = Callable[..., Result]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **settings: str) -> Result:
        environ = {"ONHAND_HOME": str(tmp_path / "home"), **settings}
        return CliRunner().invoke(documents_command, arguments, env=environ, catch_exceptions=False)

    return run


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def made(path: str = "documents.json") -> dict[str, str]:
    found: dict[str, str] = json.loads(Path(path).read_text())
    return found


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def test_the_server_takes_the_file_and_answers_what_is_in_it_by_its_hash(ran: Ran) -> None:
    write("shop/pages/level.graphql", LEVEL)
    write("shop/shown.gql", SHOWN)
    write("shop/who.graphql", WHO)
    result = ran("shop", "-o", "known.json")
    assert result.exit_code == 0, result.output
    assert "used by no operation and left out: Nobody" in result.output
    environ = {"ONHAND_DOCUMENTS": "known.json", "ONHAND_DOCUMENTS_ONLY": "on"}
    (key,) = [key for key, text in made("known.json").items() if "query Level" in text]
    async with open_shop(environ=environ).client() as client:
        asked: dict[str, Any] = {"documentId": key, "variables": {"sku": "MUG"}}
        answer = await client.post("/graphql", json=asked)
        assert answer.json() == {"data": {"stockLevel": {"available": 100}}}
        text = made("known.json")[key]
        answer = await client.post("/graphql", json={"query": text, "variables": {"sku": "MUG"}})
        assert answer.json() == {"data": {"stockLevel": {"available": 100}}}


def test_each_operation_has_the_fragments_it_uses_and_no_others(ran: Ran) -> None:
    write("level.graphql", LEVEL)
    write("shown.graphql", SHOWN)
    write("who.graphql", WHO)
    assert ran("level.graphql", "shown.graphql", "who.graphql").exit_code == 0
    role, level = sorted(made().values(), key=lambda text: "query Level" in text)
    assert "fragment Who" in role
    assert "fragment Shown" not in role
    assert level.index("query Level") < level.index("fragment Numbers")
    assert level.index("fragment Numbers") < level.index("fragment Shown")
    assert "fragment Who" not in level


def test_the_text_is_that_which_graphql_js_prints(ran: Ran) -> None:
    write("a.graphql", "query   A { me { subject,grants { role } } } # who am I")
    assert ran("a.graphql").exit_code == 0
    printed = "query A {\n  me {\n    subject\n    grants {\n      role\n    }\n  }\n}"
    assert made() == {f"sha256:{hashed(printed)}": printed}


def test_types_are_asked_for_as_apollo_does(ran: Ran) -> None:
    write("a.graphql", "{ me { subject } other: me { kind: __typename } }")
    assert ran("a.graphql", "--typename").exit_code == 0
    (text,) = made().values()
    lines = "{ me { subject __typename } other: me { kind: __typename } }"
    assert " ".join(text.split()) == lines


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("query A {\n  nothing\n}", "a.graphql:2:3: Cannot query field 'nothing'"),
        ("query A {\n  me { ...X }\n}", "a.graphql:2:11: Unknown fragment 'X'"),
        ("query A {\n  me {", "a.graphql:2:7: Syntax Error"),
        ("\ntype A { a: Int }", "a.graphql:2:1: only operations and fragments"),
        ("\n{ skus(first: 101) { edges { cursor } } }", "a.graphql:2:1: a page has more items"),
        ("{ a " * 5_000, "a.graphql:1:801: Syntax Error: Document is nested too deeply"),
        (
            "{" + "".join(f"a{n}: me {{ subject }}" for n in range(1_001)) + "}",
            "ONHAND_ALIASES_LIMIT",
        ),
        ("fragment X on Me { subject }", "there is no operation"),
        (
            "{ me { ...X } }\nfragment X on Me { subject }\nfragment X on Me { userId }",
            "a.graphql:3:1: another fragment X stands at a.graphql:2:1",
        ),
    ],
)
def test_what_the_api_would_not_take_is_told_where_it_stands(
    ran: Ran, text: str, told: str
) -> None:
    write("documents.json", "kept")
    write("a.graphql", text)
    result = ran("a.graphql")
    assert result.exit_code == 1
    assert told in result.output
    assert Path("documents.json").read_text() == "kept"
    assert sorted(path.name for path in Path().iterdir()) == ["a.graphql", "documents.json"]


def test_everything_that_is_wrong_is_told_at_once(ran: Ran) -> None:
    write("a.graphql", "{ one }")
    write("b.graphql", "{ two }\n{ three }")
    result = ran("a.graphql", "b.graphql")
    for told in ("a.graphql:1:3", "b.graphql:1:3", "b.graphql:2:3"):
        assert told in result.output


def test_the_limits_are_those_of_the_settings(ran: Ran) -> None:
    write("a.graphql", "{ me { grants { role } } }")
    result = ran("a.graphql", ONHAND_DEPTH_LIMIT="2")
    assert "a.graphql:1:1: fields are nested too deep: 2 at most (ONHAND_DEPTH_LIMIT)" in (
        result.output
    )


def test_what_production_does_not_tell_is_no_document_of_production(ran: Ran) -> None:
    write("a.graphql", "{ __schema { types { name } } }")
    assert ran("a.graphql").exit_code == 0
    secret = ENVIRON["ONHAND_SECRET_KEY"]
    result = ran("a.graphql", ONHAND_ENV="production", ONHAND_SECRET_KEY=secret)
    assert "a.graphql:1:3: GraphQL introspection" in result.output


TEXT = "query Compiled { me { subject } }"


@pytest.mark.parametrize(
    "manifest",
    [
        {hashed(TEXT): TEXT},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": hashed(TEXT), "name": "Compiled", "type": "query", "body": TEXT}],
        },
    ],
)
def test_what_a_compiler_made_is_taken_as_it_is(ran: Ran, manifest: dict[str, Any]) -> None:
    write("manifest.json", json.dumps(manifest))
    write("a.graphql", "{ me { subject } }")
    assert ran("manifest.json", "a.graphql").exit_code == 0
    assert made()[f"sha256:{hashed(TEXT)}"] == TEXT
    assert len(read(Path("documents.json"))) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps({"abc": TEXT}), "m.json: 'abc' is not the SHA-256 of its text"),
        (json.dumps({hashed("{ no }"): "{ no }"}), f"m.json {hashed('{ no }')[:16]}: Cannot query"),
        ("{", "m.json is no JSON"),
        ("[1]", "m.json is neither texts by hash nor Apollo's manifest"),
    ],
)
def test_a_manifest_that_cannot_be_taken_is_told(ran: Ran, content: str, told: str) -> None:
    write("m.json", content)
    result = ran("m.json")
    assert result.exit_code == 1
    assert told in result.output
    assert not Path("documents.json").exists()


def test_folders_of_others_are_left_out(ran: Ran) -> None:
    write("shop/a.graphql", "{ me { subject } }")
    write("shop/node_modules/b.graphql", "{ not ours }")
    write("shop/.cache/c.graphql", "{ not ours }")
    assert ran("shop").exit_code == 0
    assert len(made()) == 1


def test_other_files_and_too_many_are_refused(ran: Ran, tmp_path: Path) -> None:
    write("a.txt", "{ me { subject } }")
    assert "a.txt does not end in .graphql, .gql or .json" in ran("a.txt").output
    Path("b.graphql").write_bytes(b"\xff")
    assert "b.graphql is not UTF-8" in ran("b.graphql").output
    for number in range(FILES_LIMIT + 1):
        (tmp_path / f"{number}.gql").touch()
    with pytest.raises(ValueError, match="more than 10000 files"):
        list(named((tmp_path,)))
