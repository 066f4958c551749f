"""Random lives of a cell: the domain and the auditor (model.py) must tell the same story."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.model import LIMIT, Model
from tests.domain.story import balance, play
from tests.domain.world import World, empty_cell

LIVES = settings(max_examples=400, derandomize=True, database=None, deadline=None)

few = st.integers(1, 6)
units = st.one_of(few, few, few, st.sampled_from([-1, 0, 20, LIMIT - 1, LIMIT, LIMIT + 1]))
names = st.sampled_from(["R1", "R2", "R3"])
buckets = st.sampled_from(["available", "reserved", "quarantined", "damaged", "supplier"])


def lines(pattern: str, *parts: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda chosen: pattern.format(*chosen))


reservations = st.one_of(
    lines("reserve {} {} for {}m", names, units, st.integers(0, 4)),
    lines("reserve {} {} for {}m", names, few, st.integers(1, 4)),
    lines("reserve {} {} for {}m from web", names, units, st.integers(0, 4)),
    lines("confirm {}", names),
    lines("deduct {} {}", names, st.one_of(units, st.just("all"))),
    lines("release {}", names),
    lines("expire {}", names),
    lines("withdraw {}", names),
)
goods = st.one_of(
    lines("receive {}", units),
    lines("adjust {} {:+}", buckets, st.one_of(units, units.map(lambda n: -n))),
    lines("adjust {} {:+} if {}", buckets, st.integers(-3, 3), st.integers(0, 6)),
    lines("move {} {} {}", buckets, buckets, units),
    lines("return {} {}", buckets, units),
    lines("allot web {}", units),
    lines("unallot web {}", units),
    st.just("read"),
)
commands = st.one_of(reservations, goods, lines("tick {}m", st.integers(1, 3)))


@LIVES
@given(floor=st.sampled_from([0, 0, -4]), life=st.lists(commands, max_size=40))
def test_the_cell_and_the_auditor_tell_the_same_story(floor: int, life: list[str]) -> None:
    world, model = World(empty_cell(floor)), Model(floor)
    for line in ["receive 9", "allot web 3", *life]:
        assert play(world, line) == model.ask(line), line
        assert balance(world.cell) == model.balance(), line
        assert sum(model.units.values()) == 0
