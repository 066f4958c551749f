"""Acts that a second person may have to grant: done at once where they are small, asked for where
they are not. Sent again with the same id, they go on from where they are."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

from domain.access import EVERYWHERE, PERMISSIONS, Caller, Permission, Role
from domain.approvals import (
    NEEDED,
    Sensitive,
    is_much,
    is_sensitive_role,
    is_written_off,
    value_of,
)
from domain.refusals import Invalid, NotPermitted, Refusal
from infra.approval_models import Approval as Row
from infra.identity_models import ApiKey, PersonGrant
from services import (
    acts,
    factor_removal,
    identity_acts,
    people_acts,
    proposals,
    row_changes,
    sale_closing,
    trail,
)
from services.api_keys import CreateApiKey, Issued
from services.approvals import Proposal, ask, is_going_on, known, mark_of, policy_of, waiting
from services.approved import Answer, Done, carry_out
from services.catalogue import ROWS_LIMIT, SkuRow, WarehouseRow
from services.factor_removal import RemoveFactor
from services.flash_sale_rows import FlashSale
from services.granting import GrantRole
from services.grants import granted
from services.levels import StockLevel
from services.outcomes import was_begun
from services.people import User
from services.recorded import Act, Around, keep
from services.row_changes import AnyRow, Table, UpsertRows, Written
from services.runtime import Runtime
from services.sale_closing import CloseFlashSale
from services.second_factor import SecondFactor
from services.sight import sight_of
from services.stock import AdjustStock, MoveStock
from services.trail import Export, ExportTrail, TrailFilter

Command = (
    AdjustStock
    | MoveStock
    | UpsertRows
    | CloseFlashSale
    | GrantRole
    | CreateApiKey
    | RemoveFactor
    | ExportTrail
)
D = TypeVar("D", bound=Done)
NO_ID = "must be given (a UUID): a second person has to grant this"


async def never(_id: UUID) -> bool:
    return False


async def is_given(grant_id: UUID) -> bool:
    return await PersonGrant.filter(id=grant_id).exists()


async def is_made(key_id: UUID) -> bool:
    return await ApiKey.filter(id=key_id).exists()


class Way(NamedTuple):
    """An act as it is done by one person and asked for by one of two; what one person began with
    this id, before it was for two, is finished by them."""

    act: Sensitive
    target: str
    command: Command
    do: Callable[[], Awaitable[Answer]]
    propose: Callable[[], Awaitable[Proposal | Refusal]]
    is_begun: Callable[[UUID], Awaitable[bool]] = never


async def adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.ADJUST)
    do = partial(acts.adjust, rt, caller, command)
    if not may or not await is_big(rt, caller, command.sku, abs(command.delta)):
        return await do()
    propose = partial(proposals.adjustment, rt, caller, command)
    target = f"{command.sku} {command.warehouse}"
    way = Way(Sensitive.ADJUST, target, command, do, propose, was_begun)
    return one(StockLevel, await by_two(rt, caller, way))


async def move(rt: Runtime, caller: Caller, command: MoveStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.MOVE) and is_written_off(command.target)
    do = partial(acts.move, rt, caller, command)
    if not may or not await is_big(rt, caller, command.sku, command.quantity):
        return await do()
    propose = partial(proposals.write_off, rt, caller, command)
    target = f"{command.sku} {command.warehouse}"
    way = Way(Sensitive.WRITE_OFF, target, command, do, propose, was_begun)
    return one(StockLevel, await by_two(rt, caller, way))


async def upsert_skus(
    rt: Runtime, caller: Caller, rows: list[SkuRow], id: UUID | None = None
) -> list[Refusal | None]:
    do = partial(acts.upsert_skus, rt, caller, rows)
    return await upsert(rt, caller, row_changes.SKUS, rows, id, do)


async def upsert_warehouses(
    rt: Runtime, caller: Caller, rows: list[WarehouseRow], id: UUID | None = None
) -> list[Refusal | None]:
    do = partial(acts.upsert_warehouses, rt, caller, rows)
    return await upsert(rt, caller, row_changes.WAREHOUSES, rows, id, do)


async def upsert(
    rt: Runtime,
    caller: Caller,
    table: Table,
    rows: Sequence[AnyRow],
    id: UUID | None,
    do: Callable[[], Awaitable[list[Refusal | None]]],
) -> list[Refusal | None]:
    """All rows wait, or none; a bad row is refused in any case."""
    is_much = partial(row_changes.is_big, rt, policy_of(rt), table, rows)
    if len(rows) > ROWS_LIMIT or not await takes_two(caller, table.act, id, is_much):
        return await do()
    if id is None:
        answer: Answer = Invalid("id", NO_ID)
    else:
        command = UpsertRows(id, tuple(rows))

        async def written() -> Written:
            return Written(tuple(await do()))

        propose = partial(row_changes.proposal, caller, table, command)
        way = Way(table.act, acts.rows_target(rows), command, written, propose)
        answer = await by_two(rt, caller, way)
    if isinstance(answer, Written):
        return list(answer.results)
    return [table.bad(row) or refusal_in(answer) for row in rows]


async def close_sale(
    rt: Runtime, caller: Caller, sale_id: UUID, id: UUID | None = None
) -> FlashSale | Refusal:
    do = partial(acts.close_sale, rt, caller, sale_id)
    much = partial(sale_closing.takes_much, rt, policy_of(rt), sale_id)
    if not await takes_two(caller, Sensitive.CLOSE_SALE, id, much):
        return await do()
    if id is None:
        return Invalid("requestId", NO_ID)
    command = CloseFlashSale(id, sale_id)
    propose = partial(sale_closing.proposal, caller, command)
    way = Way(Sensitive.CLOSE_SALE, str(sale_id), command, do, propose)
    return one(FlashSale, await by_two(rt, caller, way))


async def grant_role(rt: Runtime, caller: Caller, command: GrantRole) -> User | Refusal:
    do = partial(people_acts.grant_role, rt, caller, command)
    powerful = is_sensitive_role(policy_of(rt).roles, [command.grant.role])
    if not await takes_two(caller, Sensitive.GRANT_ROLE, command.id, so(powerful)):
        return await do()
    propose = partial(proposals.role, caller, command)
    way = Way(Sensitive.GRANT_ROLE, str(command.person), command, do, propose, is_given)
    return one(User, await by_two(rt, caller, way))


async def create_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Issued | Refusal:
    """The key is made when the asker comes again: nobody else sees its secret."""
    do = partial(people_acts.create_key, rt, caller, command)
    roles = [grant.role for grant in command.grants]
    powerful = is_sensitive_role(policy_of(rt).key_roles, roles)
    if not await takes_two(caller, Sensitive.CREATE_KEY, command.id, so(powerful)):
        return await do()
    propose = partial(proposals.key, rt, caller, command)
    way = Way(Sensitive.CREATE_KEY, command.name, command, do, propose, is_made)
    return one(Issued, await by_two(rt, caller, way))


async def remove_factor(
    rt: Runtime, caller: Caller, code: str, id: UUID | None = None
) -> SecondFactor | Refusal:
    """Of whoever may decide on other people's acts."""
    do = partial(identity_acts.remove_factor, rt, caller, code)
    decides = caller.may_somewhere(Permission.APPROVE)
    if not decides or not await takes_two(caller, Sensitive.REMOVE_FACTOR, id, so(True)):
        return await do()
    if id is None:
        return Invalid("id", NO_ID)
    command = RemoveFactor(id)
    propose = partial(factor_removal.proposal, rt, caller, code, command)
    way = Way(Sensitive.REMOVE_FACTOR, caller.subject, command, do, propose)
    return one(SecondFactor, await by_two(rt, caller, way))


async def export_trail(
    rt: Runtime, caller: Caller, wanted: TrailFilter, id: UUID | None = None
) -> Export | Refusal:
    """Raises BadPage naming the field of the filter."""
    trail.check_filter(wanted)
    much = partial(trail.has_more, wanted, policy_of(rt).records)
    if not await takes_two(caller, Sensitive.EXPORT_TRAIL, id, much):
        return await trail.export(rt, caller, wanted)
    if id is None:
        return Invalid("request", NO_ID)
    do = partial(trail.export, rt, caller, wanted)
    command = ExportTrail(id, wanted)
    propose = partial(proposals.trail_export, caller, command)
    way = Way(Sensitive.EXPORT_TRAIL, trail.told(wanted), command, do, propose)
    return one(Export, await by_two(rt, caller, way))


async def takes_two(
    caller: Caller, act: Sensitive, id: UUID | None, is_big: Callable[[], Awaitable[bool]]
) -> bool:
    """Also what was asked for under this id before, small as it may be by now. Who may not do it
    is refused where it is done."""
    if act is not Sensitive.REMOVE_FACTOR and not caller.may(NEEDED[act]):
        return False
    if id is not None and await Row.filter(id=id).exists():
        return True
    return await is_big() and bool(await others(caller, act))


def so(value: bool) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return value

    return answer


async def by_two(rt: Runtime, caller: Caller, way: Way) -> Answer:
    """What has been granted is carried out, or answers again. Every other answer is a refusal,
    which leaves its record."""
    mark = mark_of(caller, way.act, way.command)
    answer: Row | Refusal | None = await known(way.command.id, mark)
    if answer is None and await way.is_begun(way.command.id):
        return await way.do()
    if answer is None:
        answer = await requested(rt, caller, await way.propose())
    if isinstance(answer, Row):
        if is_going_on(rt, answer):
            return await carry_out(rt, answer)
        answer = waiting(rt, answer)
    if not isinstance(answer, NotPermitted):
        act = Act(way.act, way.target, way.command.id, way.command)
        await keep(rt, caller, act, answer.code, Around(None, answer.message))
    return answer


async def requested(rt: Runtime, caller: Caller, proposal: Proposal | Refusal) -> Row | Refusal:
    return await ask(rt, caller, proposal) if isinstance(proposal, Proposal) else proposal


async def is_big(rt: Runtime, caller: Caller, code: str, units: int) -> bool:
    """A SKU that the caller does not see costs the same question as one that does not exist."""
    sku = await rt.catalogue.sku(code, sight_of(caller, Permission.READ_STOCK).skus)
    return sku is not None and is_much(policy_of(rt), units, value_of(units, sku.last_price_cents))


async def others(caller: Caller, act: Sensitive) -> list[UUID]:
    """The people with a second factor, besides the caller, who could grant it."""
    needed = {NEEDED[act], Permission.APPROVE}
    roles = [role for role in Role if PERMISSIONS[role] >= needed]
    rows = await PersonGrant.filter(
        role__in=roles,
        ended_at=None,
        person__is_active=True,
        person__second_factor__confirmed_at__isnull=False,
    )
    whole = {row.person_id for row in rows if granted(row).scope == EVERYWHERE}
    return sorted(whole - {caller.person})


def one(kind: type[D], answer: Answer) -> D | Refusal:
    return answer if isinstance(answer, kind) else refusal_in(answer)


def refusal_in(answer: Answer) -> Refusal:
    assert isinstance(answer, Refusal), "an act answers what it does, or refuses"
    return answer
