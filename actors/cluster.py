"""How a process joins the Ray cluster, and leaves it."""

import logging
from pathlib import Path

import ray
from ray._private import ray_constants
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from actors.directory import NAMESPACE
from actors.head import LOOPBACK, token_environ
from infra.outage import Outage
from infra.settings import Settings, export


def connect(settings: Settings) -> None:
    """Makes this process a driver of the cluster at `settings.ray_address`; raises Outage."""
    host = settings.ray_address.rpartition(":")[0]
    if host == LOOPBACK:
        join_home(settings.home)
    try:
        ray.init(
            address=settings.ray_address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    except (OSError, RuntimeError, ValueError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Outage(
            f"the Ray cluster at {settings.ray_address} does not answer: {line}"
        ) from error


def join_home(home: Path) -> None:
    """Ray has read the environment when it was imported, so it is told to look again. It takes the
    loopback for the machine's own address unless it knows that it is alone."""
    export(token_environ(home))
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
    ray_constants.ENABLE_RAY_CLUSTER = False


def disconnect() -> None:
    ray.shutdown()
