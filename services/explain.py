"""Why a cell holds what it holds: its level, and behind it each entry with what was before and
after it, its document, its customer, and the people who asked for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.access import Caller, Permission
from domain.cell import Cell as Balance
from domain.cell import undo_entry
from domain.commands import CellKey
from domain.ledger import BY_CODE
from domain.refusals import NotPermitted
from infra import trail
from infra.approval_models import Approval
from infra.database import connection
from infra.levels import CellLevel
from infra.models import CODE_LENGTH, Entry
from services.approvals import DECISIONS
from services.checks import barred, is_storable
from services.ledger import COLUMNS, LedgerEntry, told
from services.levels import StockLevel, dress, stored_levels
from services.pages import Page, after_key, check_first, page_of
from services.runtime import Runtime
from services.sight import EVERYTHING, sight_of
from services.trail import AuditRecord, shown

NEWER = """
SELECT movement, pool, sum(quantity)::bigint FROM entry
WHERE cell_id = $1 AND seq BETWEEN $2 AND $3 GROUP BY movement, pool
"""
BUYERS = """
SELECT reservation_id, customer, channel FROM hold
WHERE cell_id = $1 AND reservation_id = ANY($2::uuid[])
"""
NOBODY = {"customer": None, "channel": None}
ACTS = ("receiveStock", "adjustStock", "moveStock", "returnStock", *sorted(DECISIONS))
"""Whose records are shown: an id may be used again on purpose, to be shown what else it was of."""
RECORDS_LIMIT = 10
"""Records shown per entry: who repeats a request leaves many."""


@dataclass(frozen=True, slots=True)
class Held:
    """Units in the cell; `available` is the open pool, `pooled` all others."""

    available: int
    reserved: int
    quarantined: int
    damaged: int
    pooled: int
    on_hand: int


@dataclass(frozen=True, slots=True)
class Step:
    """`records` are those of the trail that carry the entry's request id."""

    entry: LedgerEntry
    before: Held
    after: Held
    customer: str | None
    channel: str | None
    records: list[AuditRecord]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`steps` are newest first; the first page begins with what made the level what it is."""

    level: StockLevel
    steps: Page[Step]


async def explain_stock(
    rt: Runtime, caller: Caller, sku: str, warehouse: str, first: int, after: str | None
) -> Explanation | NotPermitted | None:
    """None where nothing has happened in the cell, or there is none for the caller to see. Records
    of the trail are for those who see all stock: they tell what else a request was about."""
    if no := barred(caller, Permission.READ_LEDGER):
        return no
    check_first(first)
    key = after_key(after, (int,))
    if not (is_storable(sku, CODE_LENGTH) and is_storable(warehouse, CODE_LENGTH)):
        return None
    seen = sight_of(caller, Permission.READ_LEDGER)
    levels = await stored_levels(seen.of_cells(), sku__code=sku, warehouse__code=warehouse)
    if not levels:
        return None
    level = levels[0]
    seq = level.seq if key is None else min(level.seq, int(key[0]) - 1)
    balance = await balance_at(level, seq)
    query = Entry.filter(cell_id=level.cell_id, seq__lte=seq)
    rows = await query.order_by("-seq").limit(first + 1).values_list(*COLUMNS)
    steps = await steps_of(level, balance, rows, seen is EVERYTHING)
    return Explanation(
        (await dress(rt, [level]))[0],
        page_of(steps, first, lambda step: (step.entry.seq,), lambda step: step),
    )


async def balance_at(level: CellLevel, seq: int) -> Balance:
    """What the cell held after the entry `seq`: what came later is taken back, in one sum."""
    units = [level.available, level.reserved, level.quarantined, level.damaged]
    balance = Balance(CellKey(level.sku, level.warehouse), level.as_of, seq=level.seq, units=units)
    balance.pools = dict(level.pools or {})
    if seq < level.seq:
        _, sums = await connection().execute_query(NEWER, [level.cell_id, seq + 1, level.seq])
        for code, pool, quantity in sums:
            undo_entry(balance, BY_CODE[code], quantity, pool)
    balance.seq = seq
    return balance


async def steps_of(
    level: CellLevel, balance: Balance, rows: Sequence[Any], has_records: bool
) -> list[Step]:
    """The rows newest first; `balance` is taken back entry by entry."""
    entries = [told(level.sku, level.warehouse, row) for row in rows]
    ids = [UUID(entry.request_id) for entry in entries]
    _, buyers = await connection().execute_query(BUYERS, [level.cell_id, ids])
    known = {buyer["reservation_id"]: buyer for buyer in buyers}
    records = await records_of(level, ids) if has_records else {}
    steps = []
    for entry, request_id, row in zip(entries, ids, rows, strict=True):
        held = held_in(balance)
        undo_entry(balance, BY_CODE[row[1]], entry.quantity, entry.pool)
        buyer = known.get(request_id, NOBODY)
        found = records.get(request_id, [])
        before = held_in(balance)
        steps.append(Step(entry, before, held, buyer["customer"], buyer["channel"], found))
    return steps


def held_in(balance: Balance) -> Held:
    level = balance.level()
    return Held(*level[:5], level.on_hand)


async def records_of(level: CellLevel, ids: Iterable[UUID]) -> dict[UUID, list[AuditRecord]]:
    """The newest of each that are about this cell."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    limit = len(wanted) * RECORDS_LIMIT
    decided = Approval.filter(id__in=wanted, sku__code=level.sku, warehouse__code=level.warehouse)
    targets = [
        f"{level.sku} {level.warehouse}",
        *map(str, await decided.values_list("id", flat=True)),
    ]
    conditions = [
        ("request_id = ANY({}::uuid[])", wanted),
        ("act = ANY({}::text[])", list(ACTS)),
        ("target = ANY({}::text[])", targets),
    ]
    links = await trail.newest(conditions, None, limit)
    found: dict[UUID, list[AuditRecord]] = {}
    for link in links:
        assert link.record.request_id is not None
        records = found.setdefault(link.record.request_id, [])
        if len(records) < RECORDS_LIMIT:
            records.append(shown(link))
    return found
