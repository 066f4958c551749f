"""What the role that the shop works with may do in the database: read and write rows, and only add
to what is kept for ever. It owns no table, so it cannot lift that."""

from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg

STATEMENTS = (
    "GRANT USAGE ON SCHEMA public TO %1$I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %1$I",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO %1$I",
    "REVOKE UPDATE, DELETE, TRUNCATE ON entry, audit_record, ledger_digest FROM %1$I",
)
NAMED = "SELECT format($1, $2::text)"
IS_THERE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
UNSAID = "SET log_min_error_statement = panic"
"""A statement with a password in it is not logged, not even if it fails."""
MADE = "CREATE ROLE %1$I LOGIN"
PASSWORD = "ALTER ROLE %1$I PASSWORD %2$L"
PASSWORD_NAMED = "SELECT format($1, $2::text, $3::text)"


def role_of(url: str) -> str:
    return unquote(urlsplit(url).username or "")


async def grant(owner_url: str, role: str) -> None:
    """After migrations, as whoever owns the tables. All of it or none: no moment allows more."""
    connection: Any = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            for statement in STATEMENTS:
                await connection.execute(await connection.fetchval(NAMED, statement, role))
    finally:
        await connection.close()


async def admit(owner_url: str, role: str, password: str) -> None:
    """The role is there and has this password."""
    connection: Any = await asyncpg.connect(owner_url)
    try:
        await connection.execute(UNSAID)
        if not await connection.fetchval(IS_THERE, role):
            await connection.execute(await connection.fetchval(NAMED, MADE, role))
        given = await connection.fetchval(PASSWORD_NAMED, PASSWORD, role, password)
        await connection.execute(given)
    finally:
        await connection.close()
