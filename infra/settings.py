"""Every setting of the house: the table of infra/variables.py, read once into a frozen object.

This is the home of the process environment. Children get their settings the same way: through
the variables that `environ()` gives back.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from infra.approval_variables import APPROVAL_VARIABLES
from infra.internet_variables import INTERNET_VARIABLES
from infra.limits import LIMIT_VARIABLES, Limits
from infra.mail_variables import MAIL_VARIABLES
from infra.variables import VARIABLES, Variable

TABLE = (*VARIABLES, *APPROVAL_VARIABLES, *INTERNET_VARIABLES, *MAIL_VARIABLES)


class SettingsError(Exception):
    """A variable that cannot be used, or a machine that does not allow what it asks for. The
    message is one line for the person who set it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`database_url`, `nats_url`, `redis_url` and `ray_address` are "" where the embedded server is
    wanted and not started yet. What is secret is not in its text: whoever logs it tells nothing."""

    home: Path
    environment: str
    host: str
    port: int
    api_workers: int
    owners: int
    database_url: str = field(repr=False)
    migration_url: str = field(repr=False)
    nats_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    ray_address: str
    secret_key: str = field(repr=False)
    log_level: str
    log_syslog: str
    inbox_limit: int
    hot_seats: int
    hot_per_second: int
    hot_seconds: int
    cool_seconds: int
    password_memory_kib: int
    password_passes: int
    approval_units: int
    approval_value_cents: int
    approval_skus: int
    approval_records: int
    approval_roles: str
    approval_machine_roles: str
    public_url: str
    tls_certificate: str
    tls_key: str
    allowed_origins: str
    trusted_proxies: str
    documents: str
    documents_only: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    oidc_domains: str
    oidc_role: str
    smtp_url: str = field(repr=False)
    mail_from: str
    limits: Limits

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """An empty variable counts as unset. Raises SettingsError naming the variable."""
        values = read(TABLE, environ)
        is_production = values["environment"] == "production"
        if is_production and not values["secret_key"]:
            raise SettingsError("ONHAND_SECRET_KEY must be set in production")
        if is_production and values["oidc_issuer"].startswith("http:"):
            raise SettingsError("ONHAND_OIDC_ISSUER must be https in production")
        if bool(values["tls_certificate"]) != bool(values["tls_key"]):
            raise SettingsError("ONHAND_TLS_CERTIFICATE and ONHAND_TLS_KEY need each other")
        if values["smtp_url"] and not values["mail_from"]:
            raise SettingsError("ONHAND_MAIL_FROM must be set with ONHAND_SMTP_URL")
        return cls(**values, limits=Limits(**read(LIMIT_VARIABLES, environ)))

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def has_tls(self) -> bool:
        """Whether the API speaks it itself; a proxy may all the same."""
        return bool(self.tls_certificate)

    @property
    def own_url(self) -> str:
        """Of the API, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.has_tls else 'http'}://{host}:{self.port}"

    def environ(self) -> dict[str, str]:
        """The variables that load these settings again, in a child process."""
        return {variable.name: str(value) for variable, value in self.all()}

    def shown(self) -> list[tuple[str, str, str]]:
        """Name, value and meaning of each variable, with nothing secret in it."""
        return [(one.name, masked(one, value), one.meaning) for one, value in self.all()]

    def all(self) -> Iterator[tuple[Variable, object]]:
        for variable in TABLE:
            yield variable, getattr(self, variable.field)
        for variable in LIMIT_VARIABLES:
            yield variable, getattr(self.limits, variable.field)


def read(variables: Iterable[Variable], environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable in variables:
        given = environ.get(variable.name, "").strip() or variable.default
        try:
            values[variable.field] = variable.parse(given) if given else ""
        except ValueError as error:
            shown = "" if variable.is_secret else f", not {given!r}"
            raise SettingsError(f"{variable.name} must be {error}{shown}") from None
    return values


def masked(variable: Variable, value: object) -> str:
    """A URL keeps its host; a key shows only that it is there."""
    shown = str(value)
    if not variable.is_secret or not shown:
        return shown
    if variable.field in ("secret_key", "oidc_client_secret"):
        return "***"
    return re.sub(r"//.*@", "//***@", re.sub(r"([?&]password=)[^&]*", r"\1***", shown))


def process_environ() -> dict[str, str]:
    """The environment this process was started with."""
    return dict(os.environ)


def current_settings() -> Settings:
    return Settings.load(os.environ)


def export(values: Mapping[str, str]) -> None:
    """For libraries that read nothing but the environment."""
    os.environ.update(values)
