"""Cells of a test's own, chosen by the owner they lie with."""

from collections import defaultdict

from actors.directory import owner_of
from domain.commands import CellKey
from tests.integration.caller import new_code
from tests.integration.whole import Whole


def cells_of_owners(shop: Whole, each: int, warehouse: str | None = None) -> list[CellKey]:
    """So many cells of each owner, of SKUs that nobody else uses, owner by owner in turn."""
    owners = shop.settings.owners
    place = warehouse or new_code()
    found: dict[int, list[CellKey]] = defaultdict(list)
    while len(found) < owners or min(map(len, found.values())) < each:
        key = CellKey(new_code(), place)
        found[owner_of(key, owners)].append(key)
    return [found[owner][n] for n in range(each) for owner in range(owners)]
