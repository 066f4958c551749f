"""The report of `onhand flash-sale`: answers by code with their latencies, and the verdict."""

from collections import Counter

from rich.console import Console

from api.tables import show_table
from services.sale_door import SaleOffer
from services.sale_history import ACCEPTED, Did, History, percentile_ms
from services.sale_verdict import TOLD_LIMIT, Verdict

SHARES = (0.5, 0.95, 0.99)


def show_history(console: Console, history: History) -> None:
    rows = [
        (did.value, code, len(took), *(percentile_ms(took, share) for share in SHARES))
        for (did, code), took in sorted(history.seconds.items())
    ]
    headings = ("call", "outcome", "answers", "p50 ms", "p95 ms", "p99 ms")
    show_table(console, "Answers", headings, rows)
    ways: Counter[str] = Counter()
    for case in history.cases.values():
        ways[case.buyer.temper.value] += case.accepted(Did.RESERVE) is not None
    show_table(console, "Reserved, by temper", ("buyer", "reserved"), ways.most_common())
    show_table(console, "Never reserved", ("because", "buyers"), history.gone.most_common())
    refused = sum(case.accepted(Did.RESERVE) is None for case in history.cases.values())
    altogether = [
        ("buyers that came", history.arrived),
        (f"reservations {ACCEPTED}", history.accepted),
        ("reservations refused", refused),
        ("answers", history.answers),
    ]
    show_table(console, "Altogether", ("", "number"), altogether)


def show_verdict(console: Console, offer: SaleOffer, verdict: Verdict) -> None:
    books = [
        ("sold", verdict.sold),
        ("held", verdict.held),
        ("left", verdict.left),
        ("of", offer.units),
    ]
    show_table(console, "Books", ("", "units"), books)
    counts = [(fault.value, len(told)) for fault, told in verdict.faults.items()]
    show_table(console, "Faults", ("", "number"), counts)
    for fault, told in verdict.faults.items():
        for text in told[:TOLD_LIMIT]:
            console.print(f"{fault.value}: {text}", highlight=False)
