"""The list of commands: none is forgotten by the decisions, and the remembered ones are the right
ones. That the others are safe to repeat is shown in test_small_worlds."""

import pytest

from domain.commands import COMMANDS, REMEMBERED, Allot, CellKey, Draw, Line, Request
from domain.decisions import DECISIONS
from domain.ledger import Note
from tests.domain.story import id_of, read, tell

WORDS = """reserve confirm deduct release expire withdraw adopt receive adjust move return allot
    unallot read"""


def test_every_command_has_its_decision() -> None:
    assert (*DECISIONS, Draw) == COMMANDS, "only a draw is decided elsewhere"
    assert [command.__name__.lower() for command in DECISIONS] == WORDS.split()
    assert [d.__name__.removeprefix("decide_") for d in DECISIONS.values()] == WORDS.split()


@pytest.mark.parametrize("line", ["receive 3", "deduct R1 1", "adjust available +1", "allot web 1"])
def test_a_command_that_would_act_twice_is_remembered(line: str) -> None:
    world = tell("""
        receive 9      -> ok 9/0
        reserve R1 3   -> ok 6/3
    """)
    command = read(line, world.now)
    first, second = world.ask(command), world.ask(command)
    assert first != second
    assert isinstance(command, REMEMBERED)


def test_commands_without_a_quantity_are_not_remembered() -> None:
    forgotten = [command for command in COMMANDS if command not in REMEMBERED]
    assert " ".join(c.__name__ for c in forgotten) == "Confirm Release Expire Withdraw Adopt Read"


def test_a_request_is_for_nobody_in_particular_unless_told() -> None:
    key = CellKey("MUG", "BER")
    request = Request(id_of("Q1"), 7, key, (Line(key, Allot("web", 1)),), Note("ann"))
    assert request.buyer == (None, None)
    assert request.at == (key,)
    assert request.note == ("ann", None, None, None)
