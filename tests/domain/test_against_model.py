"""Random lives of a cell: the domain and the auditor (model.py) must tell the same story."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.model import LIMIT, Model
from tests.domain.story import balance, play
from tests.domain.world import World, empty_cell

LIVES = settings(max_examples=250, derandomize=True, database=None, deadline=None)

NAMES = ("R1", "R2")
FEW = (1, 2, 3, 4)
ODD = (-1, 0, 20, LIMIT - 1, LIMIT, LIMIT + 1)
ANY = (*FEW, *FEW, *ODD)
SHELVES = ("available", "quarantined", "damaged")
BUCKETS = (*SHELVES, "reserved", "supplier")


def lines(pattern: str, *parts: tuple[object, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([pattern.format(*chosen) for chosen in product(*parts)])


reservations = st.one_of(
    lines("reserve {} {} for {}m", NAMES, FEW, (0, 1, 2, 4)),
    lines("reserve {} {} for 9m from web", NAMES, FEW),
    lines("reserve {} {}", NAMES, ANY),
    lines("confirm {}", NAMES),
    lines("deduct {} {}", NAMES, (*ANY, "all")),
    lines("release {}", NAMES),
    lines("expire {}", NAMES),
    lines("withdraw {}", NAMES),
)
goods = st.one_of(
    lines("receive {}", ANY),
    lines("adjust {} {:+}", BUCKETS, (*ANY, -2, -3, -LIMIT, -LIMIT - 1)),
    lines("adjust {} {:+} if {}", SHELVES, (-2, -1, 1, 2), (0, 1, 2, 3)),
    lines("move {} {} {}", SHELVES, SHELVES, FEW),
    lines("move {} {} {}", BUCKETS, BUCKETS, ANY),
    lines("return {} {}", BUCKETS, ANY),
    lines("allot web {}", ANY),
    lines("unallot web {}", ANY),
)
others = st.sampled_from(["tick 1m", "tick 2m", "read"])
commands = st.one_of(reservations, reservations, goods, others)


@LIVES
@given(floor=st.sampled_from([0, -4]), life=st.lists(commands, min_size=15, max_size=40))
def test_the_cell_and_the_auditor_tell_the_same_story(floor: int, life: list[str]) -> None:
    world, model = World(empty_cell(floor)), Model(floor)
    for line in ["receive 9", "allot web 3", *life]:
        assert play(world, line) == model.ask(line), line
        assert balance(world.cell) == model.balance(), line
        assert sum(model.units.values()) == 0
