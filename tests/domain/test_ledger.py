"""The table of movements, against the list of design and what is stored in databases."""

from domain.cell import apply_entry, undo_entry
from domain.ledger import BY_CODE, BY_PATH, MOVEMENTS, MOVES, OUTSIDE, TRACKED, Bucket, Entry, Kind
from tests.domain.story import id_of
from tests.domain.world import START, empty_cell

STORED = """
     1  receive       supplier     available
     2  reserve       available    reserved
     3  release       reserved     available
     4  expire        reserved     available
     5  deduct        reserved     customer
     6  return        customer     quarantined
     7  return        customer     available
     8  return        customer     damaged
     9  quarantine    available    quarantined
    10  quarantine    damaged      quarantined
    11  clear         quarantined  available
    12  clear         damaged      available
    13  damage        available    damaged
    14  damage        quarantined  damaged
    15  scrap         damaged      scrap
    16  transfer_out  available    transit
    17  transfer_in   transit      available
    18  count_gain    variance     available
    19  count_gain    variance     quarantined
    20  count_gain    variance     damaged
    21  count_loss    available    variance
    22  count_loss    quarantined  variance
    23  count_loss    damaged      variance
    24  allot         available    available
    25  unallot       available    available
"""
"""The codes stand in ledgers: a row may be added, none may ever change."""

DESIGNED = """receive reserve release expire deduct return quarantine clear damage scrap
    transfer_out transfer_in count_gain count_loss allot unallot"""


def test_the_stored_codes_mean_what_they_always_meant() -> None:
    rows = [line.split() for line in STORED.split("\n") if line]
    assert [[str(m.code), m.kind, m.source, m.target] for m in MOVEMENTS] == rows


def test_a_code_and_a_path_name_one_row_each() -> None:
    assert list(BY_CODE.values()) == list(MOVEMENTS)
    assert list(BY_PATH.values()) == list(MOVEMENTS)


def test_codes_fit_a_smallint() -> None:
    assert all(0 < code < 2**15 for code in BY_CODE)


def test_the_kinds_are_those_of_the_design_and_each_has_a_row() -> None:
    assert list(Kind) == DESIGNED.split()
    assert {movement.kind for movement in MOVEMENTS} == set(Kind)


def test_a_bucket_is_tracked_or_outside() -> None:
    assert TRACKED == ("available", "reserved", "quarantined", "damaged")
    assert OUTSIDE == ("supplier", "customer", "transit", "scrap", "variance")
    assert (*TRACKED, *OUTSIDE) == tuple(Bucket)


def test_every_movement_has_one_end_in_the_cell_and_every_bucket_has_a_movement() -> None:
    assert all({movement.source, movement.target} & set(TRACKED) for movement in MOVEMENTS)
    assert {movement.source for movement in MOVEMENTS} >= set(TRACKED)
    assert {movement.target for movement in MOVEMENTS} >= set(TRACKED)
    assert {b for m in MOVEMENTS for b in (m.source, m.target)} == set(Bucket)


def test_people_move_units_between_all_shelves_and_nowhere_else() -> None:
    shelves = (Bucket.AVAILABLE, Bucket.QUARANTINED, Bucket.DAMAGED)
    assert set(MOVES) == {(a, b) for a in shelves for b in shelves if a is not b}
    assert all((movement.source, movement.target) == path for path, movement in MOVES.items())


def test_each_movement_changes_its_two_ends_and_nothing_else() -> None:
    for movement in MOVEMENTS:
        cell = empty_cell()
        cell.units = [10, 10, 10, 10]
        cell.pools = {"web": 10}
        expected = dict.fromkeys([*TRACKED, "web"], 10)
        is_fence = movement.kind in ("allot", "unallot")
        source = "web" if movement.kind == "unallot" else movement.source
        target = "web" if movement.kind == "allot" else movement.target
        expected |= {source: 7} if source in expected else {}
        expected |= {target: 13} if target in expected else {}
        apply_entry(cell, Entry(1, movement, 3, "web" if is_fence else None, id_of("R1"), START))
        units = dict(zip(TRACKED, cell.units, strict=True))
        assert units | cell.pools == expected, movement


def test_every_movement_can_be_taken_back() -> None:
    for movement in MOVEMENTS:
        for pool in (None, "web"):
            cell = empty_cell()
            entry = Entry(1, movement, 3, pool, id_of("R1"), START)
            apply_entry(cell, entry)
            undo_entry(cell, movement, 3, pool)
            assert (cell.seq, cell.units, cell.pools) == (0, [0, 0, 0, 0], {}), (movement, pool)
