"""The acts that leave a record, each under the name of its mutation. Whatever way in they come by,
they are called here; the reservations of customers are not, as each is in the ledger already.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from domain.access import Caller, Permission
from domain.ledger import TRACKED, Bucket
from domain.refusals import NotPermitted, Refusal
from domain.trail import DONE
from services import catalogue, flash_sales, identity_acts, people_acts, stock
from services.approvals import DECISIONS
from services.catalogue import SkuRow, WarehouseRow
from services.flash_sale_rows import FlashSale, stored_sale
from services.flash_sales import CreateFlashSale, UpdateFlashSale
from services.levels import StockLevel
from services.recorded import Act, Around, keep, recorded
from services.runtime import Runtime
from services.stock import AdjustStock, MoveStock, ReceiveStock, ReturnStock

Deltas = dict[Bucket, int]
ACTS = (
    frozenset(
        {
            "receiveStock",
            "adjustStock",
            "moveStock",
            "returnStock",
            "upsertSkus",
            "upsertWarehouses",
            "createFlashSale",
            "updateFlashSale",
            "cancelFlashSale",
            "closeFlashSale",
        }
    )
    | DECISIONS
    | identity_acts.ACTS
    | people_acts.ACTS
)
"""Mutations that leave a record."""
IN_THE_LEDGER = frozenset(
    {
        "reserveStock",
        "confirmReservation",
        "deductReservation",
        "releaseReservation",
        "joinFlashSale",
    }
)
"""Mutations that do not: customers' reservations, which the ledger and its holds tell with their
caller, and places in a waiting room."""


async def receive(rt: Runtime, caller: Caller, command: ReceiveStock) -> StockLevel | Refusal:
    deltas = {Bucket.AVAILABLE: command.quantity}
    doing = stock.receive(rt, caller, command)
    return await stock_change(rt, caller, "receiveStock", command, deltas, doing)


async def adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> StockLevel | Refusal:
    deltas = {command.bucket: command.delta}
    doing = stock.adjust(rt, caller, command)
    return await stock_change(rt, caller, "adjustStock", command, deltas, doing)


async def move(rt: Runtime, caller: Caller, command: MoveStock) -> StockLevel | Refusal:
    deltas = {command.source: -command.quantity, command.target: command.quantity}
    doing = stock.move(rt, caller, command)
    return await stock_change(rt, caller, "moveStock", command, deltas, doing)


async def return_stock(rt: Runtime, caller: Caller, command: ReturnStock) -> StockLevel | Refusal:
    deltas = {command.target: command.quantity}
    doing = stock.return_stock(rt, caller, command)
    return await stock_change(rt, caller, "returnStock", command, deltas, doing)


async def stock_change(
    rt: Runtime,
    caller: Caller,
    name: str,
    command: ReceiveStock | AdjustStock | MoveStock | ReturnStock,
    deltas: Deltas,
    doing: Awaitable[StockLevel | Refusal],
) -> StockLevel | Refusal:
    def around(level: StockLevel) -> Around:
        after = {bucket.value: getattr(level, bucket.value) for bucket in TRACKED}
        before = {bucket.value: after[bucket.value] - deltas.get(bucket, 0) for bucket in TRACKED}
        return Around(before, after | {"seq": level.seq})

    act = Act(name, f"{command.sku} {command.warehouse}", command.id, command)
    return await recorded(rt, caller, act, doing, around)


async def upsert_skus(rt: Runtime, caller: Caller, rows: list[SkuRow]) -> list[Refusal | None]:
    codes = [row.code for row in rows[: catalogue.ROWS_LIMIT]]
    before = await rt.catalogue.skus(codes if caller.may(Permission.CATALOGUE) else ())
    results = await catalogue.upsert_skus(rt, caller, rows)
    await keep_rows(rt, caller, "upsertSkus", rows, list(before.values()), results)
    return results


async def upsert_warehouses(
    rt: Runtime, caller: Caller, rows: list[WarehouseRow]
) -> list[Refusal | None]:
    codes = [row.code for row in rows[: catalogue.ROWS_LIMIT]]
    before = await rt.catalogue.warehouses(codes if caller.may(Permission.CATALOGUE) else ())
    results = await catalogue.upsert_warehouses(rt, caller, rows)
    await keep_rows(rt, caller, "upsertWarehouses", rows, list(before.values()), results)
    return results


async def keep_rows(
    rt: Runtime,
    caller: Caller,
    name: str,
    rows: Sequence[SkuRow | WarehouseRow],
    before: list[Any],
    results: Sequence[Refusal | None],
    request_id: UUID | None = None,
) -> None:
    """One record for all rows: done if any of them was. Who was not permitted is recorded at the
    door."""
    if rows and isinstance(results[0], NotPermitted):
        return
    refused = {index: no for index, no in enumerate(results) if no is not None}
    is_refused = bool(rows) and len(refused) == len(rows)
    outcome = refused[0].code if is_refused else DONE
    after = {"refused": {index: f"{no.code}: {no.message}" for index, no in refused.items()}}
    act = Act(name, rows_target(rows), request_id, list(rows[: catalogue.ROWS_LIMIT]))
    await keep(rt, caller, act, outcome, Around(before, after))


def rows_target(rows: Sequence[SkuRow | WarehouseRow]) -> str:
    return rows[0].code if len(rows) == 1 else f"{len(rows)} rows"


async def create_sale(rt: Runtime, caller: Caller, command: CreateFlashSale) -> FlashSale | Refusal:
    act = Act("createFlashSale", str(command.id), command.id, command)
    doing = flash_sales.create(rt, caller, command)
    return await recorded(rt, caller, act, doing, lambda sale: Around(None, plain_sale(sale)))


async def update_sale(rt: Runtime, caller: Caller, command: UpdateFlashSale) -> FlashSale | Refusal:
    doing = flash_sales.update(rt, caller, command)
    return await sale_change(rt, caller, Act("updateFlashSale", "", command.id, command), doing)


async def cancel_sale(rt: Runtime, caller: Caller, sale_id: UUID) -> FlashSale | Refusal:
    doing = flash_sales.cancel(rt, caller, sale_id)
    return await sale_change(rt, caller, Act("cancelFlashSale", "", sale_id, None), doing)


async def close_sale(rt: Runtime, caller: Caller, sale_id: UUID) -> FlashSale | Refusal:
    doing = flash_sales.close(rt, caller, sale_id)
    return await sale_change(rt, caller, Act("closeFlashSale", "", sale_id, None), doing)


async def sale_change(
    rt: Runtime, caller: Caller, act: Act, doing: Awaitable[FlashSale | Refusal]
) -> FlashSale | Refusal:
    """`act` names the sale by its request id."""
    assert act.request_id is not None
    was = await stored_sale(act.request_id) if caller.may(Permission.SALES) else None
    before = None if was is None else plain_sale(was)
    named = act._replace(target=str(act.request_id))
    return await recorded(rt, caller, named, doing, lambda sale: Around(before, plain_sale(sale)))


def plain_sale(sale: FlashSale) -> dict[str, Any]:
    """As JSON takes it: a cell is no key there."""
    plain = {field.name: getattr(sale, field.name) for field in fields(sale)}
    return plain | {"allotments": [line._asdict() for line in sale.lines]}
