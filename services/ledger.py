"""The ledger of a cell, for people: newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.access import Caller, Permission
from domain.ledger import BY_CODE
from domain.refusals import NotPermitted
from infra.models import CODE_LENGTH, Cell, Entry
from services.checks import barred, is_storable
from services.pages import Page, after_key, check_first, page_of
from services.runtime import Runtime
from services.sight import sight_of

COLUMNS = (
    "seq",
    "movement",
    "quantity",
    "pool",
    "reference",
    "reason",
    "lot",
    "caller",
    "request_id",
    "at",
)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    seq: int
    sku: str
    warehouse: str
    kind: str
    quantity: int
    source: str
    target: str
    pool: str | None
    reference: str | None
    reason: str | None
    lot: str | None
    caller: str
    request_id: str
    at: datetime


async def ledger(
    rt: Runtime, caller: Caller, sku: str, warehouse: str, first: int, after: str | None
) -> Page[LedgerEntry] | NotPermitted:
    """The cell's entries, newest first; none where there is no such cell for the caller to see."""
    if no := barred(caller, Permission.READ_LEDGER):
        return no
    check_first(first)
    key = after_key(after, (int,))
    ids: list[Any] = []
    if is_storable(sku, CODE_LENGTH) and is_storable(warehouse, CODE_LENGTH):
        seen = sight_of(caller, Permission.READ_LEDGER).of_cells()
        cells = Cell.filter(seen, sku__code=sku, warehouse__code=warehouse)
        ids = await cells.values_list("id", flat=True)
    if not ids:
        return Page([], [], False)
    query = Entry.filter(cell_id=ids[0])
    if key is not None:
        query = query.filter(seq__lt=key[0])
    rows = await query.order_by("-seq").limit(first + 1).values_list(*COLUMNS)

    return page_of(rows, first, lambda row: (row[0],), lambda row: told(sku, warehouse, row))


def told(sku: str, warehouse: str, row: Sequence[Any]) -> LedgerEntry:
    """A row of COLUMNS."""
    seq, code, quantity, pool, reference, reason, lot, who, request_id, at = row
    movement = BY_CODE[code]
    path = (movement.kind, quantity, movement.source, movement.target)
    return LedgerEntry(
        seq, sku, warehouse, *path, pool, reference, reason, lot, who, str(request_id), at
    )
