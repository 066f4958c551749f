"""Which owner hosts what, for those who run the shop."""

from actors.seating import Seated
from domain.access import Caller, Permission
from domain.refusals import NotPermitted
from services.checks import denied
from services.runtime import Runtime


async def ownership(rt: Runtime, caller: Caller) -> list[Seated] | NotPermitted:
    """Every seat, by name. Raises Outage when the database does not answer."""
    if no := denied(caller, Permission.READ_OWNERSHIP):
        return no
    return await rt.stock.ownership()
