"""Asks at the start what would otherwise fail later in a stack: is the port free, and is a server
that somebody else runs really there."""

import errno
import socket
from urllib.parse import unquote, urlsplit

from infra.settings import Settings, SettingsError
from infra.variables import VARIABLES

TIMEOUT_SECONDS = 3.0
PORTS = {"nats": 4222, "tls": 4222, "redis": 6379, "rediss": 6379}


def listens(settings: Settings) -> None:
    """Raises SettingsError where the API could not listen."""
    try:
        family, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"ONHAND_PORT {settings.port} is already in use on {settings.host}"
            ) from None
        raise SettingsError(
            f"ONHAND_HOST {settings.host} port {settings.port} cannot be listened on: "
            f"{error.strerror}"
        ) from None


def reach(settings: Settings, field: str) -> None:
    """Raises SettingsError where nothing listens at the URL of that setting. The database is not
    asked here: it is migrated next, and says more when it refuses."""
    url: str = getattr(settings, field)
    if field == "database_url":
        return
    parts = urlsplit(url if "://" in url else f"ray://{url}")
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(TIMEOUT_SECONDS)
                probe.connect(unquote(parts.path))
        else:
            address = (parts.hostname or "localhost", parts.port or PORTS[parts.scheme])
            socket.create_connection(address, TIMEOUT_SECONDS).close()
    except (OSError, ValueError) as error:
        name = next(variable.name for variable in VARIABLES if variable.field == field)
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{parts.hostname or ''}{parts.path}"
        raise SettingsError(f"{name}: nothing answers at {place}: {reason}") from None
