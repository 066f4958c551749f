"""What is made of what pip-audit and npm say: a fault is a fault, and silence is no all-clear."""

import json

from tests.dependency_audit import Verdict, code, npm_verdict, python_verdict

GOOD = {"name": "httpx", "version": "0.28", "vulns": []}
BAD = {"name": "old", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "ray", "skip_reason": "Dependency not found on PyPI"}
COUNTED = {"dependencies": {"total": 7}}


def python(*packages: object) -> Verdict:
    return python_verdict(json.dumps({"dependencies": packages, "fixes": []}), "")


def npm(**faults: object) -> Verdict:
    return npm_verdict(json.dumps({"vulnerabilities": faults, "metadata": COUNTED}), "")


def test_all_known_and_good_is_the_only_all_clear() -> None:
    assert code([python(GOOD), npm()]) == 0
    assert python(GOOD).known == 1
    assert npm().known == 7


def test_a_fault_is_told_with_what_mends_it() -> None:
    verdict = python(GOOD, BAD, SKIPPED)
    assert verdict.faults == ["old 1: PYSEC-1, mended in ['2']"]
    assert code([verdict, npm()]) == 1
    assert code([python(GOOD), npm(left={"severity": "high"})]) == 1


def test_a_package_that_nobody_knows_is_no_good_package() -> None:
    verdict = python(GOOD, SKIPPED)
    assert verdict.unknown == ["the registry cannot say about 1 of 2: ray"]
    assert code([verdict]) == 2


def test_who_cannot_be_reached_has_said_nothing() -> None:
    refused = json.dumps({"message": "405 Method Not Allowed", "statusCode": 405})
    verdict = npm_verdict(refused, "")
    assert verdict.unknown == ["npm cannot say: 405 Method Not Allowed"]
    assert code([python(GOOD), verdict]) == 2
    assert code([python_verdict("", "Traceback\nConnectionError: no route"), npm()]) == 2
    assert code([python_verdict("[]", "")]) == 2
