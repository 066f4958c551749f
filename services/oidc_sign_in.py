"""Who signs in at an OpenID Connect provider, and who that is here.

The provider's word counts for an address only where it says that it has verified it. Known is who
came before; then whoever has an account with that address; then whoever comes from one of our
domains, who gets an account.
"""

from dataclasses import dataclass
from hashlib import sha256

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain.access import Grant, Role
from domain.people import domain_of, email_address
from domain.refusals import InvalidCredentials
from domain.trail import DONE
from infra.identity_models import Person, PersonGrant
from infra.models import NAME_LENGTH
from services.checks import bad_text, fingerprint
from services.grants import plain_grant, plain_scope
from services.identify import STRANGER
from services.recorded import Act, Around, keep
from services.runtime import Runtime
from services.sessions import Session, begun

MAKER = "openid-connect"


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says; `subject` is who it is there, for good."""

    issuer: str
    subject: str
    email: str
    is_verified: bool
    name: str


async def sign_in_with(rt: Runtime, claims: Claims) -> Session | InvalidCredentials:
    address = email_address(claims.email)
    person = None
    if claims.is_verified and address is not None and claims.subject:
        person = await known(rt, claims, address)
    session = None if person is None else await begun(rt, person)
    act = Act("signIn", address or "no e-mail address", None, {"by": claims.issuer})
    if session is None:
        await keep(rt, STRANGER, act, InvalidCredentials.code, Around(None, None))
        return InvalidCredentials()
    await keep(rt, STRANGER, act, DONE, Around(None, {"person": session.person}))
    return session


async def known(rt: Runtime, claims: Claims, address: str) -> Person | None:
    mark = sha256(f"{claims.issuer}\0{claims.subject}".encode()).hexdigest()
    person = await Person.get_or_none(oidc_subject=mark)
    if person is not None:
        return person
    await Person.filter(email=address, is_active=True, oidc_subject=None).update(oidc_subject=mark)
    await Person.filter(oidc_subject=mark, must_change=True).update(
        password_hash=None, must_change=False
    )
    person = await Person.get_or_none(oidc_subject=mark)
    if person is None and domain_of(address) in domains(rt):
        return await welcomed(rt, claims, address, mark)
    return person


async def welcomed(rt: Runtime, claims: Claims, address: str, mark: str) -> Person | None:
    """A new account with the role for those who were not invited; None where the address has one
    that is closed, or is somebody else's at the provider."""
    name = claims.name if bad_text("name", claims.name, NAME_LENGTH) is None else address
    now = rt.clock.now()
    grant = Grant(Role(rt.settings.oidc_role))
    person = Person(
        id=rt.clock.new_id(),
        email=address,
        name=name,
        oidc_subject=mark,
        fingerprint=fingerprint("user", address, name, True),
        created_by=MAKER,
        created_at=now,
    )
    try:
        async with in_transaction():
            await person.save(force_create=True)
            await PersonGrant.create(
                id=rt.clock.new_id(),
                person_id=person.id,
                role=grant.role,
                scope=plain_scope(grant.scope),
                fingerprint=fingerprint("grant", person.id, plain_grant(grant)),
                granted_by=MAKER,
                granted_at=now,
            )
    except IntegrityError:
        return await Person.get_or_none(oidc_subject=mark)
    return person


def domains(rt: Runtime) -> frozenset[str]:
    given = (one.strip().lower() for one in rt.settings.oidc_domains.split(","))
    return frozenset(one for one in given if one)
