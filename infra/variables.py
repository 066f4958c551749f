"""The table of settings: an environment variable each, with how it is read, what it is if it is not
set, and what it means. A new setting is a row here and a field of Settings."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from domain.access import Role

ENVIRONMENTS = ("development", "production")
LOG_LEVELS = ("debug", "info", "warning", "error")
PORT_LIMIT = 65_535
API_WORKERS_LIMIT = 64
OWNERS_LIMIT = 1_024
OWNERS_LEAST = 2
INBOX_LIMIT = 20_000
INBOX_HIGHEST = 1_000_000
PASSWORD_MEMORY_KIB = 19_456
PASSWORD_PASSES = 2
"""The least that OWASP names for Argon2id: for a small server."""
PASSWORD_MEMORY_HIGHEST = 4 * 1024 * 1024
PASSWORD_PASSES_HIGHEST = 100
HOT_SEATS_HIGHEST = 256
SECONDS_HIGHEST = 86_400
SECRET_KEY_LEAST = 32
"""Characters: an HS256 key shorter than its hash is weaker than the hash."""


def text(value: str) -> str:
    return value


def directory(value: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(value)))


def number(least: int, highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= highest:
            raise ValueError(f"a whole number from {least} to {highest}")
        return int(value)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value.lower()

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path or parts.query):
            raise ValueError("a URL like " + " or ".join(f"{scheme}://..." for scheme in schemes))
        return value

    return parse


def ray_address(value: str) -> str:
    if not re.fullmatch(r"[^\s:/]+:[0-9]{1,5}", value):
        raise ValueError("HOST:PORT of a Ray head node")
    return value


def secret(value: str) -> str:
    if len(value) < SECRET_KEY_LEAST:
        raise ValueError(f"at least {SECRET_KEY_LEAST} characters")
    return value


class Variable(NamedTuple):
    name: str
    field: str
    parse: Callable[[str], Any]
    default: str
    meaning: str
    is_secret: bool = False


VARIABLES = (
    Variable(
        "ONHAND_HOME",
        "home",
        directory,
        ".onhand",
        "where the embedded servers keep their data, logs and credentials",
    ),
    Variable(
        "ONHAND_ENV",
        "environment",
        one_of(*ENVIRONMENTS),
        "development",
        "development or production; production wants its own ONHAND_SECRET_KEY",
    ),
    Variable("ONHAND_HOST", "host", text, "127.0.0.1", "the address the API listens on"),
    Variable("ONHAND_PORT", "port", number(1, PORT_LIMIT), "8000", "the port of the API"),
    Variable(
        "ONHAND_API_WORKERS",
        "api_workers",
        number(1, API_WORKERS_LIMIT),
        "1",
        "API processes",
    ),
    Variable(
        "ONHAND_OWNERS",
        "owners",
        number(1, OWNERS_LIMIT),
        str(max(OWNERS_LEAST, os.cpu_count() or OWNERS_LEAST)),
        "owner processes; the default is one per core, two at least",
    ),
    Variable(
        "ONHAND_DATABASE_URL",
        "database_url",
        url("postgres", "postgresql"),
        "",
        "a PostgreSQL to use instead of the embedded one",
        is_secret=True,
    ),
    Variable(
        "ONHAND_MIGRATION_URL",
        "migration_url",
        url("postgres", "postgresql"),
        "",
        "the same database as the role that owns its tables; empty: ONHAND_DATABASE_URL owns them",
        is_secret=True,
    ),
    Variable(
        "ONHAND_NATS_URL",
        "nats_url",
        url("nats", "tls"),
        "",
        "a NATS with JetStream to use instead of the embedded one",
        is_secret=True,
    ),
    Variable(
        "ONHAND_REDIS_URL",
        "redis_url",
        url("redis", "rediss", "unix"),
        "",
        "a Redis to use instead of the embedded one",
        is_secret=True,
    ),
    Variable(
        "ONHAND_RAY_ADDRESS",
        "ray_address",
        ray_address,
        "",
        "HOST:PORT of a Ray cluster to use instead of a local one",
    ),
    Variable(
        "ONHAND_SECRET_KEY",
        "secret_key",
        secret,
        "",
        "signs the callers' tokens; development makes its own in ONHAND_HOME",
        is_secret=True,
    ),
    Variable(
        "ONHAND_PASSWORD_MEMORY_KIB",
        "password_memory_kib",
        number(8, PASSWORD_MEMORY_HIGHEST),
        str(PASSWORD_MEMORY_KIB),
        "memory that hashing a password takes (Argon2id); twice it at most at a time",
    ),
    Variable(
        "ONHAND_PASSWORD_PASSES",
        "password_passes",
        number(1, PASSWORD_PASSES_HIGHEST),
        str(PASSWORD_PASSES),
        "passes over that memory",
    ),
    Variable(
        "ONHAND_PUBLIC_URL",
        "public_url",
        url("http", "https"),
        "",
        "where browsers reach the API, if not at its host and port: https://stock.shop.example",
    ),
    Variable(
        "ONHAND_OIDC_ISSUER",
        "oidc_issuer",
        url("http", "https"),
        "",
        "an OpenID Connect provider to sign in with; empty: passwords only",
    ),
    Variable("ONHAND_OIDC_CLIENT_ID", "oidc_client_id", text, "", "our name at that provider"),
    Variable(
        "ONHAND_OIDC_CLIENT_SECRET",
        "oidc_client_secret",
        text,
        "",
        "our password at that provider",
        is_secret=True,
    ),
    Variable(
        "ONHAND_OIDC_DOMAINS",
        "oidc_domains",
        text,
        "",
        "domains of e-mail addresses, separated by commas, whose people need no invitation",
    ),
    Variable(
        "ONHAND_OIDC_ROLE",
        "oidc_role",
        one_of(*(role.value for role in Role)),
        Role.ANALYST.value,
        "the role of those who came without an invitation",
    ),
    Variable(
        "ONHAND_LOG_LEVEL",
        "log_level",
        one_of(*LOG_LEVELS),
        "info",
        "the least level that is logged",
    ),
    Variable(
        "ONHAND_INBOX_LIMIT",
        "inbox_limit",
        number(1, INBOX_HIGHEST),
        str(INBOX_LIMIT),
        "requests that may wait at one owner; more are answered BUSY",
    ),
    Variable(
        "ONHAND_HOT_SEATS",
        "hot_seats",
        number(0, HOT_SEATS_HIGHEST),
        "4",
        "pairs that may have an owner of their own because they are hot, without a sale; 0: none",
    ),
    Variable(
        "ONHAND_HOT_PER_SECOND",
        "hot_per_second",
        number(1, INBOX_HIGHEST),
        "500",
        "commands per second that make a pair hot, if they are most of its owner's",
    ),
    Variable(
        "ONHAND_HOT_SECONDS",
        "hot_seconds",
        number(1, SECONDS_HIGHEST),
        "3",
        "how long a pair must be hot before it gets an owner of its own",
    ),
    Variable(
        "ONHAND_COOL_SECONDS",
        "cool_seconds",
        number(1, SECONDS_HIGHEST),
        "30",
        "how long it must be cool before it goes back: buyers come in waves",
    ),
)
