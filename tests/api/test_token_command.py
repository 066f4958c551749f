"""`onhand token` makes a token for a role, limited as it was asked for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.commands.token import token_command
from api.tokens import verify
from domain.access import DIMENSIONS, EVERYWHERE, Caller, Grant, Role, Scope
from tests.api.shop import SECRET

OPTIONS = {
    "--warehouse": "warehouses",
    "--region": "regions",
    "--category": "categories",
    "--channel": "channels",
}


def made(home: Path, *arguments: str) -> Caller | None:
    env = {"ONHAND_HOME": str(home), "ONHAND_SECRET_KEY": SECRET, "ONHAND_ENV": "development"}
    result = CliRunner().invoke(token_command, ["--role", "connector", *arguments], env=env)
    assert result.exit_code == 0, result.output
    return verify(SECRET, result.output.strip(), datetime.now(UTC))


def test_each_dimension_has_its_option() -> None:
    assert sorted(OPTIONS.values()) == sorted(DIMENSIONS)


@pytest.mark.parametrize(("option", "dimension"), OPTIONS.items())
def test_a_token_is_limited_as_it_was_asked_for(
    tmp_path: Path, option: str, dimension: str
) -> None:
    scope = Scope(**{dimension: frozenset({"tmall", "jd"})})
    caller = made(tmp_path, option, "tmall", option, "jd")
    assert caller == Caller("connector", (Grant(Role.CONNECTOR, scope),))


def test_a_token_is_not_limited_unless_it_was_asked_for(tmp_path: Path) -> None:
    assert made(tmp_path) == Caller("connector", (Grant(Role.CONNECTOR, EVERYWHERE),))
