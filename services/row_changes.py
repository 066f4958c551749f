"""Rows of the catalogue that one person may not write alone: those that take much out of sale, or
that change much of what the stock is worth. Both are told by what is there now."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from tortoise.models import Model
from tortoise.transactions import in_transaction

from domain.access import Caller, Permission
from domain.approvals import Policy, Sensitive, revaluation
from domain.refusals import ApprovalClosed, Invalid, Refusal
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from infra.database import connection
from infra.models import Sku, Warehouse
from services import acts, catalogue
from services.approvals import BEGUN, Change, Proposal, mark_of, plain
from services.catalogue import SkuRow, WarehouseRow
from services.catalogue_cache import SKU_COLUMNS, WAREHOUSE_COLUMNS
from services.checks import denied
from services.runtime import Runtime

ON_HAND = """
SELECT s.code, sum(c.available + c.reserved + c.quarantined + c.damaged)::bigint
FROM cell c JOIN sku s ON s.id = c.sku_id WHERE s.code = ANY($1) GROUP BY s.code
"""
STOCKED = """
SELECT count(*) FROM cell c JOIN warehouse w ON w.id = c.warehouse_id
WHERE w.code = ANY($1) AND c.available > 0
"""
FIELDS = {"is_active": "isActive", "last_price_cents": "lastPriceCents"}
"""As they are called outside, where that differs."""
AnyRow = SkuRow | WarehouseRow
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UpsertRows:
    """A request to write these rows; `id` is the request's."""

    id: UUID
    rows: tuple[AnyRow, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """One per row, in order: None where it is done."""

    results: tuple[Refusal | None, ...]


class Table(NamedTuple):
    """Rows of one kind: how they are checked, written by one person, and read as they are."""

    act: Sensitive
    kind: type[SkuRow] | type[WarehouseRow]
    model: type[Model]
    columns: tuple[str, ...]
    bad: Callable[[Any], Invalid | None]
    write: Callable[[Runtime, Caller, Any], Awaitable[list[Refusal | None]]]
    known: Callable[[Runtime, Iterable[str]], Awaitable[Mapping[str, Any]]]
    is_big: Callable[[Policy, Mapping[str, Columns], Sequence[Any]], Awaitable[bool]]


async def is_big_of_skus(
    policy: Policy, before: Mapping[str, Columns], rows: Sequence[SkuRow]
) -> bool:
    if len(deactivated(before, rows)) > policy.skus:
        return True
    prices = {
        row.code: (before[row.code]["last_price_cents"], row.last_price_cents)
        for row in rows
        if row.code in before
    }
    changed = {code: pair for code, pair in prices.items() if revaluation(1, *pair)}
    if not changed:
        return False
    _, found = await connection().execute_query(ON_HAND, [sorted(changed)])
    held: dict[str, int] = dict(map(tuple, found))
    value = sum(revaluation(held.get(code, 0), *pair) for code, pair in changed.items())
    return value > policy.value_cents


async def is_big_of_warehouses(
    policy: Policy, before: Mapping[str, Columns], rows: Sequence[WarehouseRow]
) -> bool:
    """A warehouse takes all that is available in it out of sale."""
    codes = deactivated(before, rows)
    if not codes:
        return False
    _, found = await connection().execute_query(STOCKED, [codes])
    stocked: int = next(iter(found[0]))
    return stocked > policy.skus


SKUS = Table(
    Sensitive.UPSERT_SKUS,
    SkuRow,
    Sku,
    SKU_COLUMNS[1:],
    catalogue.bad_sku,
    catalogue.upsert_skus,
    lambda rt, codes: rt.catalogue.skus(codes),
    is_big_of_skus,
)
WAREHOUSES = Table(
    Sensitive.UPSERT_WAREHOUSES,
    WarehouseRow,
    Warehouse,
    WAREHOUSE_COLUMNS[1:],
    catalogue.bad_warehouse,
    catalogue.upsert_warehouses,
    lambda rt, codes: rt.catalogue.warehouses(codes),
    is_big_of_warehouses,
)
TABLES = {table.act: table for table in (SKUS, WAREHOUSES)}


async def is_big(rt: Runtime, policy: Policy, table: Table, rows: Sequence[AnyRow]) -> bool:
    """By what this process remembers of the catalogue, a second ago or later."""
    good = good_rows(table, rows)
    known = await table.known(rt, good)
    before = {code: {c: getattr(info, c) for c in table.columns} for code, info in known.items()}
    return await table.is_big(policy, before, list(good.values()))


async def proposal(caller: Caller, table: Table, command: UpsertRows) -> Proposal:
    changes = differences(table, await rows_now(table, command.rows), command.rows)
    mark = mark_of(caller, table.act, command)
    target = acts.rows_target(command.rows)
    return Proposal(command.id, table.act, target, plain(command), changes, mark)


async def carry_out(rt: Runtime, caller: Caller, row: Row) -> Written | Refusal:
    """All rows in one transaction, which also notes that it was: whoever comes second only records
    it. Anything that differs from what the second person was shown makes it stale."""
    if no := denied(caller, Permission.CATALOGUE):
        return no
    table = TABLES[Sensitive(row.act)]
    plain_rows: Any = row.command["rows"]
    rows: list[AnyRow] = [msgspec.convert(one, table.kind) for one in plain_rows]
    async with in_transaction():
        if await Row.filter(
            id=row.id, state=ApprovalState.GRANTED, outcome=None
        ).select_for_update():
            changes = differences(table, await rows_now(table, rows, is_locked=True), rows)
            if [change._asdict() for change in changes] != row.changes:
                return ApprovalClosed(ApprovalState.STALE)
            await table.write(rt, caller, list(rows))
            await Row.filter(id=row.id).update(outcome=BEGUN)
    results = [table.bad(one) for one in rows]
    await acts.keep_rows(rt, caller, table.act, rows, row.changes, results, row.id)
    return Written(tuple(results))


async def rows_now(
    table: Table, rows: Iterable[AnyRow], is_locked: bool = False
) -> dict[str, Columns]:
    """By code, in the order of the codes."""
    query = table.model.filter(code__in=sorted(good_rows(table, rows))).order_by("code")
    found = await (query.select_for_update() if is_locked else query).values(*table.columns)
    return {columns["code"]: columns for columns in found}


def differences(
    table: Table, before: Mapping[str, Columns], rows: Iterable[AnyRow]
) -> tuple[Change, ...]:
    """Field by field. A price that is not given stays."""
    changes: list[Change] = []
    for code, row in sorted(good_rows(table, rows).items()):
        if code not in before:
            changes.append(Change(code, None, row.name))
            continue
        for column in table.columns:
            was, is_now = before[code][column], getattr(row, column)
            if was != is_now and not (column == "last_price_cents" and is_now is None):
                changes.append(
                    Change(f"{code} {FIELDS.get(column, column)}", told(was), told(is_now))
                )
    return tuple(changes)


def good_rows(table: Table, rows: Iterable[AnyRow]) -> dict[str, Any]:
    """By code: of two rows with one code the later counts."""
    return {row.code: row for row in rows if table.bad(row) is None}


def deactivated(before: Mapping[str, Columns], rows: Iterable[AnyRow]) -> list[str]:
    return [
        row.code
        for row in rows
        if not row.is_active and row.code in before and before[row.code]["is_active"]
    ]


def told(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
