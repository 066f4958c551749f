"""The owners of the shop, of whom there is always one who can sign in."""

from uuid import UUID

from domain.access import Role
from domain.granting import is_owner
from infra.identity_models import Person, PersonGrant
from services.grants import granted


async def owners() -> list[PersonGrant]:
    """Grants of the whole shop to people who can sign in. Within a transaction, at whose end others
    may look."""
    held = PersonGrant.filter(role=Role.OWNER, ended_at=None)
    rows = [
        row for row in await held.order_by("id").select_for_update() if is_owner([granted(row)])
    ]
    people = await Person.filter(id__in=[row.person_id for row in rows], is_active=True)
    able = {one.id for one in people if one.password_hash or one.oidc_subject}
    return [row for row in rows if row.person_id in able]


async def is_last_owner(person: UUID, without: UUID | None = None) -> bool:
    """Whether the shop would have no owner if this person, or only this grant of theirs, went. Two
    owners who remove each other wait here for one another."""
    now = await owners()
    left = [row for row in now if row.id != without and (without or row.person_id != person)]
    return bool(now) and not left
