"""The process that keeps the owners: starts them, says so, waits to be ended, lets them drain.

`python -m actors READY` touches the file READY once all owners can work.
"""

import signal
import sys
from pathlib import Path

from actors.cluster import connect
from actors.owners import drain, start
from infra.settings import current_settings

ENDINGS = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    settings = current_settings()
    connect(settings)
    start(settings)
    Path(sys.argv[1]).touch()
    signal.sigwait(ENDINGS)
    drain(settings)


if __name__ == "__main__":
    main()
