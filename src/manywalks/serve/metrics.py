"""What /metrics says of a service, in the text format of Prometheus."""

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one service, apart from those of other services in this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "manywalks_requests", "Requests.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "manywalks_request_seconds", "Seconds from request to answer.", ["route"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.molecules = Counter(
            "manywalks_molecules", "Molecules answered.", ["model", "outcome"], registry=self.registry
        )
        self.waiting = Gauge("manywalks_waiting_molecules", "Molecules that wait.", registry=self.registry)
        self.version = Gauge(
            "manywalks_model_info", "1 for the version that answers.", ["model", "version", "data_version"],
            registry=self.registry,
        )  # fmt: skip
        self.memory = Gauge(
            "manywalks_memory_bytes", "Resident memory, workers included.", registry=self.registry
        )

    def text(self) -> bytes:
        """All of them, now."""
        self.memory.set(resident_bytes())
        return generate_latest(self.registry)


def resident_bytes() -> int:
    """Resident memory of this process and its workers."""
    here = psutil.Process()
    total = here.memory_info().rss
    for child in here.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return total
