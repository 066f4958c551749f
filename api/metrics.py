"""What this process counts, and what it asks of others when Prometheus asks: `GET /metrics`.

Every API worker counts for itself and shows itself in the label `worker` (its process id); a scrape
reaches one of them. What owners and relay count is the same whichever worker tells it.
"""

import os
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from api.attempts import Attempts
from infra.cache import RelayReport
from infra.hub import Hub
from infra.seats import HeatCounts

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
OwnerStats = list[dict[str, Any]]
M = TypeVar("M", bound=MetricWrapperBase)


disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    def __init__(self) -> None:
        self.attempts = Attempts()
        self.registry = CollectorRegistry()
        self.worker = str(os.getpid())
        self.children: dict[tuple[MetricWrapperBase, object], Any] = {}
        self.commands = self.counter("commands", "GraphQL root fields asked", "verb")
        self.refusals = self.counter("refusals", "Expected noes, by code", "code")
        self.errors = self.counter("errors", "GraphQL errors, by code", "code")
        self.responses = self.counter("http_responses", "HTTP responses, by status", "status")
        self.closings = self.counter("closings", "Connections we ended, by reason", "reason")
        self.durations = Histogram(
            "onhand_operation_seconds",
            "From a parsed operation to its answer",
            ["kind", "worker"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.sockets = Gauge(
            "onhand_websockets", "Open WebSockets", ["worker"], registry=self.registry
        ).labels(self.worker)
        self.streams = Gauge(
            "onhand_streams", "Open event streams", ["worker"], registry=self.registry
        ).labels(self.worker)

    def counter(self, name: str, meaning: str, label: str) -> Counter:
        return Counter(f"onhand_{name}", meaning, [label, "worker"], registry=self.registry)

    def operation(
        self,
        kind: str,
        verbs: Iterable[str],
        refusals: Iterable[str],
        errors: Iterable[str],
        seconds: float,
    ) -> None:
        self.known(self.durations, kind).observe(seconds)
        for verb in verbs:
            self.known(self.commands, verb).inc()
        for code in refusals:
            self.known(self.refusals, code).inc()
        for code in errors:
            self.known(self.errors, code).inc()

    def response(self, status: int) -> None:
        self.known(self.responses, status).inc()

    def known(self, family: M, value: object) -> M:
        """The one of the family with that label, remembered: to look it up costs as much as to
        count. Verbs, codes and statuses are few."""
        child: M | None = self.children.get((family, value))
        if child is None:
            child = self.children[family, value] = family.labels(str(value), self.worker)
        return child

    def exposed(
        self,
        hub: Hub,
        owners: OwnerStats,
        relay: RelayReport | None,
        from_memory: int,
        moves: HeatCounts | None,
    ) -> bytes:
        """All of it in Prometheus' text format."""
        elsewhere = CollectorRegistry()
        elsewhere.register(Told([*told_by_hub(hub, self.worker), *told_by_owners(owners)]))
        elsewhere.register(Told(told_by_relay(relay)))
        elsewhere.register(Told([told_from_memory(from_memory, self.worker)]))
        elsewhere.register(Told(told_of_moves(moves)))
        return generate_latest(self.registry) + generate_latest(elsewhere)


class Told(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"onhand_{name}", meaning, value)


def told_by_hub(hub: Hub, worker: str) -> list[Metric]:
    told: list[Metric] = []
    subscribers = GaugeMetricFamily("onhand_subscribers", "Subscriptions open", labels=["worker"])
    subscribers.add_metric([worker], len(hub.everyone))
    told.append(subscribers)
    for name, meaning, value in (
        ("changes", "Changes heard from the bus", hub.changes),
        ("change_gaps", "Times the subscribed levels were read again", hub.gaps),
        ("subscribers_behind", "Times a subscriber read all its levels again", hub.behind),
        ("subscribers_slow", "Subscriptions closed as too slow", hub.slow),
    ):
        family = CounterMetricFamily(f"onhand_{name}", meaning, labels=["worker"])
        family.add_metric([worker], value)
        told.append(family)
    return told


def told_from_memory(times: int, worker: str) -> Metric:
    meaning = "Draws on flash sales that were refused without asking their owner"
    family = CounterMetricFamily("onhand_sold_out_from_memory", meaning, labels=["worker"])
    family.add_metric([worker], times)
    return family


def told_of_moves(moves: HeatCounts | None) -> list[Metric]:
    """By PostgreSQL, the same for all workers."""
    if moves is None:
        return []
    meanings = "Hot pairs that were given a seat", "Pairs that had cooled and lost their seat"
    return [
        CounterMetricFamily(f"onhand_{name}", meaning, value)
        for name, meaning, value in zip(moves._fields, meanings, moves, strict=True)
    ]


def told_by_relay(relay: RelayReport | None) -> list[Metric]:
    if relay is None:
        return [gauge("relay_up", "Whether a relay has reported lately", 0)]
    return [
        gauge("relay_up", "Whether a relay has reported lately", 1),
        gauge("relay_lag_seconds", "Age of the oldest change not told yet", relay.oldest_seconds),
        CounterMetricFamily("onhand_relay_levels", "Levels taken from the outbox", relay.levels),
        CounterMetricFamily("onhand_relay_published", "Changes published", relay.published),
        CounterMetricFamily("onhand_relay_refills", "Refills of the read model", relay.refills),
        CounterMetricFamily("onhand_relay_failures", "Rounds that failed", relay.failures),
    ]


def told_by_owners(owners: OwnerStats) -> list[Metric]:
    """Per owner: numbers as gauges, counts by name as counters, histograms as histograms."""
    families: dict[str, Metric] = {}
    for index, stats in enumerate(owners):
        owner = str(stats.get("owner", index))
        for name, value in stats.items():
            if isinstance(value, dict) and "bounds" in value:
                add_histogram(families, name, owner, value)
            elif isinstance(value, dict):
                add_counts(families, name, owner, value)
            elif isinstance(value, int | float) and name != "owner":
                add_number(families, name, owner, value)
    return list(families.values())


def add_number(families: dict[str, Metric], name: str, owner: str, value: float) -> None:
    family = families.setdefault(
        name, GaugeMetricFamily(f"onhand_owner_{name}", told_name(name), labels=["owner"])
    )
    assert isinstance(family, GaugeMetricFamily)
    family.add_metric([owner], value)


def add_counts(families: dict[str, Metric], name: str, owner: str, value: dict[str, int]) -> None:
    family = families.setdefault(
        name,
        CounterMetricFamily(f"onhand_owner_{name}", told_name(name), labels=["owner", "name"]),
    )
    assert isinstance(family, CounterMetricFamily)
    for key, count in value.items():
        family.add_metric([owner, key], count)


def add_histogram(
    families: dict[str, Metric], name: str, owner: str, value: dict[str, Any]
) -> None:
    family = families.setdefault(
        name, HistogramMetricFamily(f"onhand_owner_{name}", told_name(name), labels=["owner"])
    )
    assert isinstance(family, HistogramMetricFamily)
    bounds = [*(str(float(bound)) for bound in value["bounds"]), "+Inf"]
    counts = list(zip(bounds, accumulate(value["counts"]), strict=True))
    family.add_metric([owner], buckets=counts, sum_value=value["sum"])


def told_name(name: str) -> str:
    return f"As the owners count: {name.replace('_', ' ')}"
