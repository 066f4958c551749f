"""What a person does with their own account: sign out, here or everywhere, and change the password.

Only the person: a key of theirs has their account behind it and may do none of it.
"""

from dataclasses import dataclass, field
from uuid import UUID

from tortoise.transactions import in_transaction

from domain.access import Caller
from domain.refusals import Invalid, InvalidCredentials, LockedOut, NotPermitted
from infra.identity_models import Person, SessionFamily
from services import lockout
from services.runtime import Runtime
from services.session_tokens import read_refresh_token
from services.sessions import end

OWN_ACCOUNT = "account:own"
"""What a caller lacks who is not a person."""


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """`keep`: the refresh token of the one session that goes on. `id` is the request's: the last
    change, asked for again, gets the same answer."""

    current: str = field(repr=False)
    new: str = field(repr=False)
    keep: str | None = field(default=None, repr=False)
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignedOut:
    sessions: int


async def sign_out(
    rt: Runtime, caller: Caller, token: str
) -> SignedOut | InvalidCredentials | NotPermitted:
    """Ends the session of this refresh token, which may be an old one of it."""
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    family = await family_of(rt, person, token)
    if family is None:
        return InvalidCredentials()
    return SignedOut(await end(rt, person.id, family=family))


async def sign_out_everywhere(rt: Runtime, caller: Caller) -> SignedOut | NotPermitted:
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    return SignedOut(await end(rt, person.id))


async def change_password(
    rt: Runtime, caller: Caller, command: ChangePassword
) -> SignedOut | InvalidCredentials | LockedOut | Invalid | NotPermitted:
    """Ends all other sessions. Who has got hold of a session may not guess the password by it."""
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    kept = None if command.keep is None else await family_of(rt, person, command.keep)
    if command.keep is not None and kept is None:
        return InvalidCredentials()
    if bad := await bad_password(rt, "newPassword", command.new, person.email, person.name):
        return bad
    if command.new == command.current:
        return Invalid("newPassword", "must be another than the current one")
    keys = lockout.keys_of(person.email)
    if locked := await lockout.book(rt, keys):
        return locked
    before = person.password_hash
    is_known = command.id is not None and command.id == person.changed_by_request
    shown = command.new if is_known else command.current
    if not await rt.passwords.is_right(before, shown):
        return InvalidCredentials()
    await lockout.forgive(keys)
    if is_known:
        return SignedOut(person.sessions_ended or 0)
    hashed = await rt.passwords.hashed(command.new)
    same = Person.filter(id=person.id, password_hash=before, is_active=True)
    async with in_transaction():
        if not await same.update(password_hash=hashed, must_change=False):
            return InvalidCredentials()
        ended = await end(rt, person.id, but=kept)
        told = Person.filter(id=person.id)
        await told.update(changed_by_request=command.id, sessions_ended=ended)
        return SignedOut(ended)


async def own(caller: Caller) -> Person | NotPermitted:
    person = None
    if caller.person is not None:
        person = await Person.get_or_none(id=caller.person, email=caller.subject, is_active=True)
    return person or NotPermitted(OWN_ACCOUNT)


async def family_of(rt: Runtime, person: Person, token: str) -> UUID | None:
    """The person's family that this refresh token is or was one of."""
    shown = read_refresh_token(rt.settings.secret_key, token)
    if shown is None:
        return None
    is_theirs = await SessionFamily.filter(id=shown.family, person_id=person.id).exists()
    return shown.family if is_theirs else None


async def bad_password(rt: Runtime, field: str, password: str, *known: str) -> Invalid | None:
    """`known` is what others know of whoever it is for."""
    why = await rt.passwords.weakness(password, known)
    return None if why is None else Invalid(field, why)
