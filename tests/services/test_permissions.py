"""Who may do what: the table of permissions is the only door of every use case."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.access import Permission, Role, everywhere
from domain.ledger import Bucket
from domain.refusals import NotPermitted
from services import catalogue, fulfil, ledger, ownership, reservations, stock
from services.reserve import reserve
from tests.services.world import (
    ADMIN,
    HERE,
    OPERATOR,
    OTHER_STOREFRONT,
    STOREFRONT,
    Shop,
    order,
    reservation,
    rid,
    want,
)

BELOW_ADMIN = tuple(role for role in Role if role not in (Role.OWNER, Role.ADMIN))
KEEPERS = {Role.OWNER, Role.ADMIN, Role.OPERATIONS}
HANDLERS = KEEPERS | {Role.WAREHOUSE}
SELLERS = KEEPERS | {Role.STOREFRONT, Role.CONNECTOR}
READERS = set(Role) - {Role.STOREFRONT}
Verb = Callable[..., Awaitable[Any]]
SKU = catalogue.SkuRow("NEW", "New")
WAREHOUSE = catalogue.WarehouseRow("NEW", "New", "EU")
TABLE: list[tuple[Verb, tuple[Any, ...], Permission, set[Role]]] = [
    (
        stock.receive,
        (stock.ReceiveStock(rid(1), *HERE, 1),),
        Permission.RECEIVE,
        HANDLERS | {Role.PURCHASING},
    ),
    (
        stock.adjust,
        (stock.AdjustStock(rid(1), *HERE, Bucket.AVAILABLE, 1, "FOUND"),),
        Permission.ADJUST,
        HANDLERS,
    ),
    (
        stock.move,
        (stock.MoveStock(rid(1), *HERE, Bucket.AVAILABLE, Bucket.DAMAGED, 1),),
        Permission.MOVE,
        HANDLERS,
    ),
    (
        stock.return_stock,
        (stock.ReturnStock(rid(1), *HERE, 1),),
        Permission.RETURN,
        HANDLERS | {Role.CONNECTOR},
    ),
    (
        fulfil.deduct,
        (reservations.DeductReservation(rid(1), rid(2)),),
        Permission.DEDUCT,
        HANDLERS | {Role.CONNECTOR},
    ),
    (
        ledger.ledger,
        (*HERE, 10, None),
        Permission.READ_LEDGER,
        READERS,
    ),
    (ownership.ownership, (), Permission.READ_OWNERSHIP, KEEPERS),
    (reserve, (order(1, want(HERE, 1)),), Permission.RESERVE, SELLERS),
    (stock.stock_level, (*HERE, True), Permission.READ_STOCK, set(Role)),
]


def no_to(permission: Permission, answer: object) -> bool:
    return answer == NotPermitted(permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("verb", "arguments", "permission", "roles"), TABLE)
async def test_a_role_may_do_what_the_table_says_and_no_more(
    shop: Shop,
    role: Role,
    verb: Verb,
    arguments: tuple[Any, ...],
    permission: Permission,
    roles: set[Role],
) -> None:
    caller = everywhere("somebody", role)
    assert caller.may(permission) == (role in roles)
    if role not in roles or verb not in (fulfil.deduct, ledger.ledger):
        assert no_to(permission, await verb(shop.rt, caller, *arguments)) == (role not in roles)


@pytest.mark.parametrize("role", BELOW_ADMIN)
async def test_only_an_admin_changes_the_catalogue_and_each_row_says_so(
    shop: Shop, role: Role
) -> None:
    caller = everywhere("somebody", role)
    no = NotPermitted(Permission.CATALOGUE)
    assert await catalogue.upsert_skus(shop.rt, caller, [SKU, SKU]) == [no, no]
    assert await catalogue.upsert_warehouses(shop.rt, caller, [WAREHOUSE]) == [no]
    assert ADMIN.may(Permission.CATALOGUE)


async def test_a_storefront_acts_on_its_own_reservations_only(shop: Shop) -> None:
    await stock.receive(shop.rt, ADMIN, stock.ReceiveStock(rid(1), *HERE, 10))
    no = NotPermitted(Permission.ANY_RESERVATION)
    await reserve(shop.rt, STOREFRONT, order(2, want(HERE, 1)))
    await reserve(shop.rt, ADMIN, order(3, want(HERE, 1)))
    for act in (fulfil.confirm, fulfil.release):
        assert await act(shop.rt, OTHER_STOREFRONT, rid(2)) == no
        assert await act(shop.rt, STOREFRONT, rid(3)) == no
    assert reservation(await fulfil.confirm(shop.rt, STOREFRONT, rid(2))).state == "confirmed"
    assert reservation(await fulfil.release(shop.rt, OPERATOR, rid(2))).state == "released"
    assert reservation(await fulfil.release(shop.rt, OPERATOR, rid(3))).state == "released"


async def test_what_the_caller_may_not_do_is_the_first_thing_said(shop: Shop) -> None:
    bad = stock.ReceiveStock(rid(1), "NOTHING", "NOWHERE", -1, "")
    assert await stock.receive(shop.rt, STOREFRONT, bad) == NotPermitted(Permission.RECEIVE)
