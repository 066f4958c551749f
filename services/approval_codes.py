"""Codes by mail, with which somebody who has no authenticator grants a request.

A code is booked before it is sent and a look before it is taken, in PostgreSQL: a crowd of requests
at once gets no more than one after the other. Who has an authenticator uses that: a mail must not
make it weaker.
"""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest, digest
from uuid import UUID

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from domain.access import Caller
from domain.mailed_codes import DIGITS, HOUR, LIFE, TRIES, masked, sent_again_at
from domain.refusals import Invalid, InvalidCredentials, LockedOut, NotFound, NotPermitted, Refusal
from infra.approval_models import Approval as Row
from infra.approval_models import ApprovalCode
from infra.credentials import new_digits
from infra.identity_models import Person
from services import lockout
from services.account import own
from services.approvals import Change
from services.mail_texts import code_text
from services.runtime import Runtime
from services.second_factor import Proof, confirmed, keys_of, unproved

PURPOSE = b"code by mail\0"
NO_MAIL = Invalid("id", "the shop sends no mail (ONHAND_SMTP_URL): enrol an authenticator")
HAS_FACTOR = Invalid("id", "your authenticator gives the code")


@dataclass(frozen=True, slots=True)
class Sent:
    """`to` is masked."""

    to: str
    expires_at: datetime


async def send_code(rt: Runtime, caller: Caller, row: Row) -> Sent | Refusal:
    """For a request that the caller may grant. Ends the code that was sent for it before."""
    if isinstance(person := await own(caller), NotPermitted):
        return person
    if rt.mail is None:
        return NO_MAIL
    if await confirmed(person.id) is not None:
        return HAS_FACTOR
    now, code = rt.clock.now(), new_digits(DIGITS)
    async with in_transaction():
        await Person.filter(id=person.id).select_for_update()
        lately = ApprovalCode.filter(person_id=person.id, sent_at__gt=now - HOUR)
        until = sent_again_at([one.sent_at for one in await lately], now)
        if until is not None:
            return LockedOut(until)
        await ApprovalCode.filter(person_id=person.id, approval_id=row.id).update(ended_at=now)
        await ApprovalCode.create(
            id=rt.clock.new_id(),
            approval_id=row.id,
            person_id=person.id,
            code_hash=hash_of(rt, person.id, row.id, code),
            sent_at=now,
        )
    changes = [Change(**change) for change in row.changes]  # type: ignore[arg-type]
    subject, text = code_text(row.act, row.target, changes, row.asked_by, code, now + LIFE)
    await rt.mail.send(person.email, subject, text)
    return Sent(masked(person.email), now + LIFE)


async def not_proved(
    rt: Runtime, caller: Caller, row: Row, code: str
) -> InvalidCredentials | LockedOut | NotFound | NotPermitted | None:
    """None: it is the person behind the caller, as their authenticator or a code by mail says."""
    if isinstance(person := await own(caller), NotPermitted):
        return person
    if rt.mail is None or await confirmed(person.id) is not None:
        return await unproved(rt, caller, Proof(code))
    keys = keys_of(person.id)
    if locked := await lockout.book(rt, keys):
        return locked
    if not await is_taken(rt, person.id, row.id, code.strip()):
        return InvalidCredentials()
    await lockout.forgive(keys)
    return None


async def is_taken(rt: Runtime, person: UUID, approval: UUID, code: str) -> bool:
    """Whether it is the code that was sent; from then on it is not any more."""
    now = rt.clock.now()
    good = ApprovalCode.filter(
        person_id=person,
        approval_id=approval,
        ended_at=None,
        sent_at__gt=now - LIFE,
        tries__lt=TRIES,
    )
    row = await good.first()
    if row is None or not await good.filter(id=row.id).update(tries=F("tries") + 1):
        return False
    if not compare_digest(row.code_hash, hash_of(rt, person, approval, code)):
        return False
    return bool(await ApprovalCode.filter(id=row.id, ended_at=None).update(ended_at=now))


def hash_of(rt: Runtime, person: UUID, approval: UUID, code: str) -> bytes:
    """Keyed, for eight digits are soon tried."""
    told = PURPOSE + person.bytes + approval.bytes + code.encode("utf-8", "replace")
    return digest(rt.settings.secret_key.encode(), told, "sha256")
