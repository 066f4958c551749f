"""PostgreSQL through Tortoise: opening, closing, migrating, and the raw connection of an owner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.api import migrate as run_migrations

from infra.outage import Outage

APP = "onhand"
COMMAND_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5.0
OWNER_SETTINGS = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Owners' statements join a few keys to large tables, always by index, whatever the keys: they are
planned once per connection, for a plan that knows the keys costs more than it saves."""

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DBConnectionError,
)
"""What is raised when PostgreSQL cannot be reached, goes away or gives up; TimeoutError is an
OSError, and asyncpg takes an end between two statements for an error of its own. The statement may
or may not have happened."""


def config(url: str, pool_size: int, settings: dict[str, str]) -> dict[str, Any]:
    """Tortoise's configuration for a libpq URL; a `host` parameter may name a socket folder."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    credentials = {
        "host": query.pop("host", None) or parts.hostname or "localhost",
        "port": int(query.pop("port", 0)) or parts.port or 5432,
        "user": unquote(parts.username or "onhand"),
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/") or "onhand",
        "minsize": 1,
        "maxsize": pool_size,
        "command_timeout": COMMAND_TIMEOUT_SECONDS,
        "timeout": CONNECT_TIMEOUT_SECONDS,
        "server_settings": {"application_name": "onhand", "jit": "off", **settings},
        **query,
    }
    return {
        "connections": {
            "default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}
        },
        "apps": {
            APP: {
                "models": ["infra.models", "infra.identity_models", "infra.approval_models"],
                "default_connection": "default",
                "migrations": "infra.migrations",
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def migrate(url: str) -> None:
    """Brings the tables up to date; raises Outage when the database cannot be reached."""
    try:
        await run_migrations(config=config(url, 1, {}))
        await Tortoise.close_connections()
    except (OSError, asyncpg.PostgresError) as error:
        raise Outage(f"the database cannot be migrated: {error}") from error


async def open_database(
    url: str, pool_size: int = 8, settings: dict[str, str] | None = None
) -> None:
    """Opens this process's pool; Tortoise's models and `connection()` use it from now on."""
    await Tortoise.init(config=config(url, pool_size, settings or {}), _enable_global_fallback=True)


async def close_database() -> None:
    await Tortoise.close_connections()


def connection() -> AsyncpgDBClient:
    client = get_connection("default")
    assert isinstance(client, AsyncpgDBClient)
    return client


@asynccontextmanager
async def raw_connection() -> AsyncIterator[asyncpg.Connection]:
    """One asyncpg connection out of Tortoise's pool, kept for as long as the block lasts."""
    async with connection().acquire_connection() as raw:
        yield raw
