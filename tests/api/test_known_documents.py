"""Known documents by their hash, over every transport; and a shop that takes no others."""

import json
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from api.known_documents import KnownDocuments, known_documents
from infra.settings import Settings, SettingsError
from tests.api.shop import ENVIRON, Shop, open_shop
from tests.api.test_websocket import ADMIN
from tests.api.wire import Door, talk

LEVEL = '{ stockLevel(sku: "MUG", warehouse: "WEST", consistency: STRONG) { available } }'
REFRESH = """mutation R($input: RefreshSessionInput!) {
  refreshSession(input: $input) { __typename }
}"""
ANSWER = {"data": {"stockLevel": {"available": 100}}}
OTHER = "{ warehouses { code } }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return shop_with(tmp_path, "on")


def shop_with(folder: Path, only: str) -> Shop:
    path = folder / "documents.json"
    texts = {hashed(LEVEL): LEVEL, f"sha256:{hashed(REFRESH)}": REFRESH}
    path.write_text(json.dumps(texts))
    return open_shop(environ={"ONHAND_DOCUMENTS": str(path), "ONHAND_DOCUMENTS_ONLY": only})


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": f"sha256:{hashed(LEVEL)}"},
        {"documentId": hashed(LEVEL)},
        {"documentId": hashed(LEVEL).upper()},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed(LEVEL)}}},
        {"query": LEVEL},
        {"query": LEVEL, "documentId": f"sha256:{hashed(LEVEL)}"},
    ],
)
async def test_a_known_document_may_be_named_or_sent(shop: Shop, asked: dict[str, object]) -> None:
    async with shop.client() as client:
        response = await client.post("/graphql", json=asked)
        assert response.json() == ANSWER


async def test_a_known_document_may_be_got(shop: Shop) -> None:
    extensions = json.dumps({"persistedQuery": {"sha256Hash": hashed(LEVEL)}})
    async with shop.client() as client:
        for query in (f"documentId=sha256:{hashed(LEVEL)}", f"extensions={quote(extensions)}"):
            assert (await client.get(f"/graphql?{query}")).json() == ANSWER


async def test_a_socket_takes_known_documents_only() -> None:
    door = Door()
    door.operations.documents = KnownDocuments({hashed(OTHER): OTHER}, is_only=True)
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload={"documentId": f"sha256:{hashed(OTHER)}"})
        assert (await client.hear())["payload"] == {"data": {"role": "admin"}}
        assert (await client.hear())["type"] == "complete"
        client.say("subscribe", id="2", payload={"query": "{ __typename }"})
        refused = await client.hear()
        assert refused["payload"][0]["extensions"] == {"code": "DOCUMENT_NOT_ALLOWED"}


async def test_what_is_not_known_is_not_taken_and_not_even_parsed(shop: Shop) -> None:
    async with shop.client() as client:
        for text in (OTHER, f"{LEVEL} ", "{", "x" * 100_000):
            response = await client.post("/graphql", json={"query": text})
            (error,) = response.json()["errors"]
            assert error["extensions"] == {"code": "DOCUMENT_NOT_ALLOWED"}


async def test_a_hash_that_is_not_known_is_told_as_apollo_has_it(tmp_path: Path) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashed(OTHER)}}
    for only in ("on", "off"):
        async with shop_with(tmp_path, only).client() as client:
            response = await client.post("/graphql", json={"extensions": extensions})
            (error,) = response.json()["errors"]
            assert error["message"] == "PersistedQueryNotFound"
            assert error["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}


async def test_without_the_setting_other_documents_are_taken_too(tmp_path: Path) -> None:
    async with shop_with(tmp_path, "off").client() as client:
        response = await client.post("/graphql", json={"query": "{ __typename }"})
        assert response.json() == {"data": {"__typename": "Query"}}


async def test_a_stranger_may_name_the_document_that_signs_in(shop: Shop) -> None:
    async with shop.client(None) as client:
        variables = {"input": {"id": "no id", "refreshToken": "none"}}
        asked = {"documentId": f"sha256:{hashed(REFRESH)}", "variables": variables}
        answer = await client.post("/graphql", json=asked)
        assert answer.json() == {"data": {"refreshSession": {"__typename": "Invalid"}}}
        other = await client.post("/graphql", json={"documentId": f"sha256:{hashed(LEVEL)}"})
        assert other.status_code == 401


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "query is missing"),
        ({"extensions": {"persistedQuery": None}}, "query is missing"),
        ({"extensions": {"persistedQuery": {"sha256Hash": 7}}}, "sha256Hash"),
        ({"extensions": "none"}, "extensions"),
        ({"documentId": 7}, "documentId"),
    ],
)
async def test_what_names_no_document_is_a_bad_request(
    shop: Shop, asked: dict[str, object], told: str
) -> None:
    async with shop.client() as client:
        response = await client.post("/graphql", json=asked)
        assert response.status_code == 400
        assert told in response.text


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"a": 1}', '{"abc": "{ __typename }"}', json.dumps({hashed("a"): "b"})]
)
def test_a_file_whose_hashes_are_wrong_is_refused_at_the_start(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "documents.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="ONHAND_DOCUMENTS"):
        known_documents(Settings.load({**ENVIRON, "ONHAND_DOCUMENTS": str(path)}))


def test_a_file_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ONHAND_DOCUMENTS"):
        known_documents(Settings.load({**ENVIRON, "ONHAND_DOCUMENTS": str(tmp_path / "none")}))
    with pytest.raises(SettingsError, match="ONHAND_DOCUMENTS_ONLY"):
        known_documents(Settings.load({**ENVIRON, "ONHAND_DOCUMENTS_ONLY": "on"}))
