"""What `serve` counts and measures, under CloudWatch's names, in Prometheus's text format.

Source: Developer Guide, "Types of metrics for Lambda functions". `InitDuration` and `MaxMemoryUsed` are REPORT's.
"""

from functools import partial
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from lambdaimg.model.project import Function
from lambdaimg.pool.admission import Admission
from lambdaimg.runtime.emulator import Happening, Kind

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

Counted = Literal[
    "Invocations",
    "Errors",
    "Throttles",
    "ProvisionedConcurrencySpilloverInvocations",
    "AsyncEventsReceived",
    "AsyncEventsDropped",
    "DestinationDeliveryFailures",
    "DeadLetterErrors",
]
Measured = Literal["Duration", "InitDuration", "MaxMemoryUsed", "AsyncEventAge"]

_COUNTED: Final[dict[Counted, str]] = {
    "Invocations": "Times that the function's code was invoked",
    "Errors": "Invocations that ended in a function error",
    "Throttles": "Requests that got 429",
    "ProvisionedConcurrencySpilloverInvocations": "Invocations beyond the provisioned concurrency",
    "AsyncEventsReceived": "Events accepted into the queue",
    "AsyncEventsDropped": "Events given up without success",
    "DestinationDeliveryFailures": "Records that a destination did not get",
    "DeadLetterErrors": "Events that a dead-letter queue did not get",
}
_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000)
_MB: Final = (32, 64, 128, 256, 512, 1_024, 1_769, 3_008, 5_120, 10_240)
_MEASURED: Final[dict[Measured, tuple[str, tuple[int, ...]]]] = {
    "Duration": ("Milliseconds of an invocation", _MS),
    "InitDuration": ("Milliseconds of an init phase", _MS),
    "MaxMemoryUsed": ("The most megabytes that an environment held", _MB),
    "AsyncEventAge": ("Milliseconds from an event's acceptance to an attempt at it", _MS),
}
_LABELS: Final = ("FunctionName",)


class Metrics:
    """The metrics of functions, all of them there from the beginning."""

    def __init__(self, functions: tuple[Function, ...], admission: Admission) -> None:
        self._registry = registry = CollectorRegistry()
        self._counted = {name: Counter(name, text, _LABELS, registry=registry) for name, text in _COUNTED.items()}
        self._measured = {
            name: Histogram(name, text, _LABELS, buckets=buckets, registry=registry)
            for name, (text, buckets) in _MEASURED.items()
        }
        for function in functions:
            for metric in (*self._counted.values(), *self._measured.values()):
                metric.labels(function.name)
        self._show_concurrency(functions, admission)

    def _show_concurrency(self, functions: tuple[Function, ...], admission: Admission) -> None:
        """What is looked up when it is asked for."""
        running = Gauge("ConcurrentExecutions", "Invocations that run", _LABELS, registry=self._registry)
        text = "Invocations that run on the provisioned concurrency, divided by it"
        used = Gauge("ProvisionedConcurrencyUtilization", text, _LABELS, registry=self._registry)
        for function in functions:
            running.labels(function.name).set_function(partial(admission.running, function.name))
            if function.settings.provisioned_concurrency:
                used.labels(function.name).set_function(partial(admission.utilization, function.name))

    def count(self, what: Counted, function: str) -> None:
        self._counted[what].labels(function).inc()

    def measure(self, what: Measured, function: str, value: float) -> None:
        """`value` is ms, or MB of `MaxMemoryUsed`."""
        self._measured[what].labels(function).observe(value)

    def happened(self, happening: Happening) -> None:
        """Takes what an environment tells."""
        function, report = happening.function, happening.report
        if happening.kind is Kind.INVOKED:
            self.count("Invocations", function)
        if happening.init_ms is not None:
            self.measure("InitDuration", function, happening.init_ms)
        if report is not None:
            self.measure("Duration", function, report.duration_ms)
            if report.max_memory_used is not None:
                self.measure("MaxMemoryUsed", function, report.max_memory_used)
            if report.status:
                self.count("Errors", function)

    def text(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
