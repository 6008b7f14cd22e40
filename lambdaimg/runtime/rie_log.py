"""What the RIE prints: the function's own lines, and its notes on the phases, from which the true figures come.

Seen of the binary in AWS SAM CLI 1.170.0: START, END and REPORT go to standard output beside the function's lines;
its notes, marked `(rapid)`, to standard error. REPORT's init and memory figures are made up. An invocation whose
runtime can't start or ends has neither END nor REPORT, only a note.
"""

import re
from dataclasses import dataclass, field
from typing import Final

_START: Final = re.compile(r"START RequestId: (\S+) ")
_DURATION: Final = re.compile(r"\tDuration: ([\d.]+) ms")
_NOTE: Final = re.compile(r"^\d+ \w+ \d{4} [\d:,]+ \[\w+\] \(rapid\) (.*)")
_INIT_START: Final = re.compile(r"INIT START\(type: \S+, phase: (\w+)\)")
_INIT_REPORT: Final = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_FAILED: Final = re.compile(r"Invoke DONE failed: (\S+)")
_EXTENSION: Final = re.compile(r"(?:External|Internal) agent .* registered, subscribed to ")
_NOT_STARTED: Final = re.compile(r"(?:Init|Invoke) failed .*\berror=fork/(exec \S+: .+?)(?: InvokeID=.*)?$")
"""One of the two or both, as it happens."""


@dataclass(kw_only=True)
class Record:
    """What the log says of one invocation. Times are ms; `init_ms` only where an init phase came before it.

    The RIE's REPORT has the `total_ms` of both. It comes on another stream than the init phase's note, maybe before it.
    """

    request_id: str = ""
    lines: list[str] = field(default_factory=list)
    total_ms: float | None = None
    init_ms: float | None = None
    ended: bool = False

    @property
    def duration_ms(self) -> float | None:
        return None if self.total_ms is None else max(0.0, self.total_ms - (self.init_ms or 0))  # two clocks


class RieLog:
    """Reads both streams, line by line, into the record of the invocation that runs."""

    def __init__(self) -> None:
        self.record = Record()
        self.initialised = False
        self.has_extensions = False
        self._phase = ""

    def output(self, line: str) -> str | None:
        """One line of standard output. Returns it, if the user should see it as it is."""
        if found := _START.match(line):
            self.record.request_id = found[1]
        if line.startswith("REPORT RequestId: ") and (duration := _DURATION.search(line)):
            self.record.total_ms = float(duration[1])
            self.record.ended = True
            return None
        if line.startswith("END RequestId: "):
            return None  # written anew, for every invocation
        self.record.lines.append(line)
        return line

    def errors(self, line: str) -> str | None:
        """One line of standard error: a note of the RIE, or the function's own. Returns the latter."""
        note = _NOTE.match(line)
        if note is None:
            self.record.lines.append(line)
            return line
        if found := _INIT_START.match(note[1]):
            self._phase = found[1]
        elif found := _INIT_REPORT.match(note[1]):
            self.initialised = True
            if self._phase == "init":  # a later one, in the invoke phase, counts as duration, as on Lambda
                self.record.init_ms = float(found[1])
        elif _EXTENSION.match(note[1]):
            self.has_extensions = True
        elif found := _NOT_STARTED.match(note[1]):
            return self._not_started(found[1])
        elif _FAILED.match(note[1]):
            self.record.ended = True
        return None

    def _not_started(self, why: str) -> str | None:
        """The line that tells, once, why the image's process could not be started: the RIE answers with nothing."""
        architecture = ": the program is for another architecture" if why.endswith("exec format error") else ""
        line = f"Runtime.InvalidEntrypoint: {why}{architecture}"
        if line in self.record.lines:
            return None
        self.record.lines.append(line)
        return line
