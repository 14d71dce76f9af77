"""What Prometheus may ask: requests by route, webhook verdicts, refusals, the use of the pool."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workers.core.db import Pool

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class Figure:
    """One value that the database tells, `private.figures`."""

    name: str
    labels: Mapping[str, str]
    value: float


class Metrics:
    """One process's figures, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "guildhall_http_requests_total",
            "Answers by route and status; status 0: the client left first.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "guildhall_http_request_seconds",
            "Time from the request's head to the end of its answer.",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._webhooks = Counter(
            "guildhall_webhooks_total",
            "Webhooks by verdict: kept, repeated, refused, unverifiable, not_configured.",
            ["provider", "verdict"],
            registry=self._registry,
        )
        self._limited = Counter(
            "guildhall_rate_limited_total",
            "Requests refused by rate limits.",
            ["tier"],
            registry=self._registry,
        )
        self._pool = Gauge(
            "guildhall_database_pool",
            "Database connections: open, idle; requests that wait for one.",
            ["state"],
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        # a method is what the client says it is: only known names become labels
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def count_webhook(self, provider: str, verdict: str) -> None:
        self._webhooks.labels(provider, verdict).inc()

    def count_refusal(self, tier: str) -> None:
        self._limited.labels(tier).inc()

    def render(self, pool: Pool, figures: Sequence[Figure] | None) -> bytes:
        """The text that Prometheus reads. `figures` None: the database did not answer."""
        stats = pool.get_stats()
        self._pool.labels("open").set(stats.get("pool_size", 0))
        self._pool.labels("idle").set(stats.get("pool_available", 0))
        self._pool.labels("waiting").set(stats.get("requests_waiting", 0))
        told = CollectorRegistry()
        told.register(_Figures(figures))
        return generate_latest(self._registry) + generate_latest(told)


class _Figures(Collector):
    """The database's own figures: the same from every process of the api."""

    def __init__(self, figures: Sequence[Figure] | None) -> None:
        self._figures = figures

    def collect(self) -> Iterable[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "guildhall_figures_up",
            "Whether the database told its figures.",
            float(self._figures is not None),
        )
        yield from self._families(self._figures or ())

    def _families(self, figures: Sequence[Figure]) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for figure in figures:
            names = sorted(figure.labels)
            family = families.setdefault(
                figure.name,
                GaugeMetricFamily(figure.name, "See private.figures.", labels=names),
            )
            family.add_metric([figure.labels[name] for name in names], figure.value)
        yield from families.values()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
