"""The status as Prometheus metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from challenger.status import Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_GAUGES: Final = {
    "l1_block": "Last L1 block read",
    "l1_head": "Newest confirmed L1 block known",
    "batch": "Last batch executed and found right",
    "block": "Last block executed and found right",
    "finalised": "Last final batch on L1",
    "fork": "Reversions on L1 so far",
    "audit_waiting": "Blocks waiting for py-evm",
}
_COUNTERS: Final = {
    "audited": "Blocks judged by py-evm as well",
    "audit_gas": "Gas that the verifier used on the audited blocks",
    "audit_skipped": "Blocks chosen for py-evm and left out",
}


class _StatusCollector(Collector):
    """Reads the status when it is asked."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status
        for name, meaning in _GAUGES.items():
            yield GaugeMetricFamily(f"challenger_{name}", meaning, value=getattr(status, name))
        for name, meaning in _COUNTERS.items():
            yield CounterMetricFamily(f"challenger_{name}", meaning, value=getattr(status, name))
        yield GaugeMetricFamily("challenger_fraud", "1 while a wrong block stands on L1", value=bool(status.fraud))
        yield GaugeMetricFamily("challenger_alarm", "1 while something needs a person", value=bool(status.alarm))
        yield CounterMetricFamily("challenger_proofs", "Batches reverted by this process", value=len(status.proofs))
        yield _by_reason("challenger_reversions", "Those batches by what was wrong with them", status)
        if status.fraud is not None:
            standing = GaugeMetricFamily("challenger_fraud_reason", "What is wrong with that block", labels=["reason"])
            standing.add_metric([status.fraud["reason"]], 1)
            yield standing
        count = len(status.disagreements)
        yield CounterMetricFamily("challenger_disagreements", "Honest blocks that the twins judge apart", value=count)


def _by_reason(name: str, meaning: str, status: Status) -> Metric:
    """Proofs counted by verdict: the name of a reason of the state transition, or WRONG_ROOT."""
    family = CounterMetricFamily(name, meaning, labels=["reason"])
    for reason, count in sorted(Counter(proof["reason"] for proof in status.proofs).items()):
        family.add_metric([reason], count)
    return family


class Metrics:
    """A registry of its own: nothing of the process's other libraries is in it."""

    def __init__(self, status: Status) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_StatusCollector(status))

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
