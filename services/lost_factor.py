"""The second factor of somebody who lost authenticator and recovery codes, taken off by whoever has
the machine: in the shop itself nobody does it to somebody else, or they could approve for them."""

from domain.people import email_address
from domain.trail import DONE, Record
from infra.clock import Clock
from infra.identity_models import Person, SecondFactor
from infra.trail import Trail
from services.first_owner import MAKER

ACT = "remove-second-factor"


async def take_off(trail: Trail, clock: Clock, email: str) -> str | None:
    """Why it is refused, or None where it is done."""
    person = await Person.get_or_none(email=email_address(email))
    if person is None:
        return "nobody has an account with that address"
    if not await SecondFactor.filter(person_id=person.id).delete():
        return "that account has no second factor"
    await trail.keep(
        Record(
            at=clock.now(),
            subject=MAKER,
            person=person.id,
            act=ACT,
            target=person.email,
            outcome=DONE,
            request_id=None,
            asked="null",
            before=None,
            after=None,
            address=None,
            correlation_id=None,
        )
    )
    return None
