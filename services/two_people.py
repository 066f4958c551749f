"""How an act is done by two people: asked for by one, granted by another, carried out once. Which
acts, and when: services/sensitive.py and services/sensitive_accounts.py."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from domain.access import EVERYWHERE, PERMISSIONS, Caller, Permission, Role
from domain.approvals import NEEDED, Sensitive
from domain.refusals import NotPermitted, Refusal
from infra.approval_models import Approval as Row
from infra.identity_models import PersonGrant
from services.approvals import Proposal, ask, is_going_on, known, mark_of, waiting
from services.approved import Answer, Doing, Done, carry_out
from services.grants import granted
from services.recorded import Act, Around, keep
from services.runtime import Runtime

D = TypeVar("D", bound=Done)
NO_ID = "must be given (a UUID): a second person has to grant this"


class Command(Protocol):
    @property
    def id(self) -> UUID: ...


async def never(_id: UUID) -> bool:
    return False


class Way(NamedTuple):
    """An act as it is done by one person and asked for by one of two; what one person began with
    this id, before it was for two, is finished by them. `again` carries it out where the request
    does not keep all that it takes."""

    act: Sensitive
    target: str
    command: Command
    do: Callable[[], Awaitable[Answer]]
    propose: Callable[[], Awaitable[Proposal | Refusal]]
    is_begun: Callable[[UUID], Awaitable[bool]] = never
    again: Doing | None = None


async def takes_two(
    rt: Runtime,
    caller: Caller,
    act: Sensitive,
    id: UUID | None,
    is_big: Callable[[], Awaitable[bool]],
) -> bool:
    """Also what was asked for under this id before, small as it may be by now. Who may not do it
    is refused where it is done."""
    if act is not Sensitive.REMOVE_FACTOR and not caller.may(NEEDED[act]):
        return False
    if id is not None and await Row.filter(id=id).exists():
        return True
    return await is_big() and bool(await others(rt, caller, act))


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
            return await carry_out(rt, answer, way.again)
        answer = waiting(rt, answer)
    if not isinstance(answer, NotPermitted):
        act = Act(way.act, way.target, way.command.id, way.command)
        await keep(rt, caller, act, answer.code, Around(None, answer.message))
    return answer


async def requested(rt: Runtime, caller: Caller, proposal: Proposal | Refusal) -> Row | Refusal:
    return await ask(rt, caller, proposal) if isinstance(proposal, Proposal) else proposal


async def others(rt: Runtime, caller: Caller, act: Sensitive) -> list[UUID]:
    """The people, besides the caller, who could grant it: with an authenticator, or by a code that
    is mailed to them."""
    needed = {NEEDED[act], Permission.APPROVE}
    roles = [role for role in Role if PERMISSIONS[role] >= needed]
    able = PersonGrant.filter(role__in=roles, ended_at=None, person__is_active=True)
    if rt.mail is None:
        able = able.filter(person__second_factor__confirmed_at__isnull=False)
    else:
        able = able.filter(person__must_change=False)
    whole = {row.person_id for row in await able if granted(row).scope == EVERYWHERE}
    return sorted(whole - {caller.person})


def one(kind: type[D], answer: Answer) -> D | Refusal:
    return answer if isinstance(answer, kind) else refusal_in(answer)


def refusal_in(answer: Answer) -> Refusal:
    assert isinstance(answer, Refusal), "an act answers what it does, or refuses"
    return answer
