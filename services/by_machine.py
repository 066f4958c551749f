"""What whoever has the machine does to accounts, as records of the trail: where nobody in the shop
can do it, or nobody may do it alone."""

from tortoise.transactions import in_transaction

from domain.people import email_address
from domain.trail import DONE, Record
from infra.clock import Clock
from infra.identity_models import Person, SecondFactor, SessionFamily
from infra.trail import Trail
from services.first_owner import MAKER
from services.owners import is_last_owner

NOBODY = "nobody has an account with that address"


async def take_off_factor(trail: Trail, clock: Clock, email: str) -> str | None:
    """Of somebody who lost authenticator and recovery codes: in the shop itself nobody does it to
    somebody else, or they could approve for them. Why it is refused, or None where it is done."""
    person = await Person.get_or_none(email=email_address(email))
    if person is None:
        return NOBODY
    if not await SecondFactor.filter(person_id=person.id).delete():
        return "that account has no second factor"
    await kept(trail, clock, "remove-second-factor", person)
    return None


async def close_account(trail: Trail, clock: Clock, email: str) -> str | None:
    """Of somebody who may decide, where nobody else is there to grant it. Ends the sessions. Why it
    is refused, or None where it is done."""
    person = await Person.get_or_none(email=email_address(email))
    if person is None:
        return NOBODY
    async with in_transaction():
        if await is_last_owner(person.id):
            return "that account is the last owner of the shop"
        await Person.filter(id=person.id).update(is_active=False)
        await SessionFamily.filter(person_id=person.id, ended_at=None).update(ended_at=clock.now())
    await kept(trail, clock, "close-account", person)
    return None


async def kept(trail: Trail, clock: Clock, act: str, person: Person) -> None:
    record = Record(clock.now(), MAKER, person.id, act, person.email, DONE)
    await trail.keep(record)
