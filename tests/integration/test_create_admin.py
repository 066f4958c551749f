"""`onhand create-admin`: how the first owner gets in."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from api.commands.create_admin import create_admin_command
from infra.clock import SystemClock
from infra.database import close_database, migrate, open_database
from infra.passwords import Passwords
from services.first_owner import Owner, make_owner
from tests.integration.people import ANN, CHEAP, EMPTY, GOOD

FOUND = """SELECT p.email, p.must_change, g.role, g.scope FROM person p
  JOIN person_grant g ON g.person_id = p.id"""


async def emptied(url: str) -> None:
    await migrate(url)
    connection = await asyncpg.connect(url)
    await connection.execute(EMPTY)
    await connection.close()


async def found(url: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(FOUND)
    await connection.close()
    return [tuple(row) for row in rows]


@pytest.fixture
def shop(people_url: str) -> dict[str, str]:
    """The environment of a shop without anybody, as if it were served."""
    asyncio.run(emptied(people_url))
    return {
        "ONHAND_DATABASE_URL": people_url,
        "ONHAND_NATS_URL": "nats://nowhere",
        "ONHAND_REDIS_URL": "redis://nowhere",
        "ONHAND_RAY_ADDRESS": "nowhere:1",
        "ONHAND_PASSWORD_MEMORY_KIB": "8",
    }


def call(shop: dict[str, str], *arguments: str, typed: str = "") -> Result:
    runner = CliRunner()
    return runner.invoke(create_admin_command, ["--email", *arguments], input=typed, env=shop)


def test_the_first_owner_is_made_with_a_password_that_is_typed_twice(
    shop: dict[str, str], people_url: str
) -> None:
    result = call(shop, ANN, typed=f"{GOOD}\n{GOOD}\n")
    assert result.exit_code == 0, result.output
    assert GOOD not in result.output
    assert asyncio.run(found(people_url)) == [(ANN, False, "owner", "{}")]


def test_the_password_comes_from_a_file_or_from_standard_input(
    shop: dict[str, str], people_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{GOOD}\nmore\n")
    assert call(shop, ANN, "--password-file", str(file)).exit_code == 0
    asyncio.run(emptied(people_url))
    assert call(shop, ANN, "--password-file", "-", typed=GOOD).exit_code == 0
    assert len(asyncio.run(found(people_url))) == 1


def test_a_shop_with_an_owner_gets_no_other_from_the_command_line(shop: dict[str, str]) -> None:
    assert call(shop, ANN, "--password-file", "-", typed=GOOD).exit_code == 0
    again = call(shop, "bob@shop.example", "--password-file", "-", typed=GOOD)
    assert again.exit_code == 1
    assert "has an owner already" in again.output


async def test_of_many_who_make_the_first_owner_at_once_one_does(people_url: str) -> None:
    await emptied(people_url)
    await open_database(people_url)
    try:
        passwords = Passwords(CHEAP)
        tried = [Owner(f"{n}@shop.example", "One", GOOD) for n in range(6)]
        making = (make_owner(passwords, SystemClock(), owner) for owner in tried)
        refusals = await asyncio.gather(*making)
    finally:
        await close_database()
    assert refusals.count(None) == 1
    assert len(await found(people_url)) == 1


@pytest.mark.parametrize(
    ("email", "password", "why"),
    [
        ("ann", GOOD, "no e-mail address"),
        (ANN, "password", "at least 12"),
        (ANN, "", "at least 12"),
        (ANN, "Password1234!", "tried first"),
    ],
)
def test_what_is_wrong_is_told_and_nobody_is_made(
    shop: dict[str, str], people_url: str, email: str, password: str, why: str
) -> None:
    result = call(shop, email, "--password-file", "-", typed=password)
    assert result.exit_code == 1
    assert why in result.output
    assert asyncio.run(found(people_url)) == []


def test_a_password_file_that_is_not_there_is_told(shop: dict[str, str]) -> None:
    result = call(shop, ANN, "--password-file", "/nowhere/at/all")
    assert (result.exit_code, "cannot be read" in result.output) == (1, True)
