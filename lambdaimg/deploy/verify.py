"""Verifying what is deployed: the project's own test cases, sent to the alias instead of a local environment."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lambdaimg.deploy.change import Deployment
from lambdaimg.harness.live_report import plain
from lambdaimg.harness.results import BAD, Result
from lambdaimg.harness.runner import Environment, OnLine, Runner
from lambdaimg.harness.selection import Selection
from lambdaimg.harness.suite import Options, choose
from lambdaimg.model.cases import Case
from lambdaimg.model.errors import UsageError
from lambdaimg.model.invocation import Invocation, Report, Request


def cases_of(to: Deployment, text: str) -> list[Case]:
    """The function's cases whose name holds `text`. Raises UsageError for none, and for what Lambda can't be given."""
    cases = choose(to.project, Options(functions=(to.name,), selection=Selection(text=text)))
    for case in cases:
        if case.environment:
            raise UsageError(
                f"{case.id} sets variables of its own, which a deployed function can't be given",
                remedy="verify with another case",
            )
    return cases


def verify(to: Deployment, cases: list[Case]) -> str:
    """Runs cases against the alias; what is wrong, in words, or nothing. Raises AwsRefused and RemoteError."""
    results: list[Result] = []
    runner = Runner(_Deployed(to), jobs=1, stop_at_first=True, broken={}, on_result=results.append)
    asyncio.run(runner.run(cases))
    return "\n".join(line for result in results if result.outcome in BAD for line in plain(result))


@dataclass(frozen=True)
class _Deployed:
    """The alias, in the place of local environments."""

    to: Deployment

    @asynccontextmanager
    async def open(self, function: str, variables: Mapping[str, str], on_line: OnLine) -> AsyncIterator[Environment]:
        yield self

    async def invoke(self, request: Request) -> Invocation:
        return await asyncio.to_thread(self._invoke, request.event)

    def _invoke(self, event: bytes) -> Invocation:
        fields = {"FunctionName": self.to.name, "Qualifier": self.to.alias}
        answer = self.to.aws.call("lambda", "invoke", **fields, LogType="Tail", Payload=event)
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace").splitlines()
        return Invocation(
            payload=answer["Payload"].read(),
            function_error="FunctionError" in answer,
            log=tuple(log),
            report=report_of(log),
        )


def report_of(log: list[str]) -> Report | None:
    """The figures of the REPORT line, or of the record in its place in the format JSON, if the log's tail has it."""
    return next((found for line in reversed(log) if (found := _of_line(line) or _of_record(line))), None)


def _of_line(line: str) -> Report | None:
    figures = dict(re.findall(r"\t((?:[A-Z][a-z]+ )*[A-Z][a-z]+): ([\d.]+) (?:ms|MB)", line))
    if not line.startswith("REPORT RequestId: ") or "Duration" not in figures:
        return None
    return Report(
        request_id=line.split()[2],
        duration_ms=float(figures["Duration"]),
        memory_size=int(figures.get("Memory Size", 0)),
        max_memory_used=int(figures["Max Memory Used"]) if "Max Memory Used" in figures else None,
        init_ms=float(figures["Init Duration"]) if "Init Duration" in figures else None,
    )


def _of_record(line: str) -> Report | None:
    try:
        told = json.loads(line)
        record, metrics = told["record"], told["record"]["metrics"]
    except (ValueError, TypeError, KeyError):
        return None
    if told.get("type") != "platform.report":
        return None
    return Report(
        request_id=record["requestId"],
        duration_ms=metrics["durationMs"],
        memory_size=metrics["memorySizeMB"],
        max_memory_used=metrics.get("maxMemoryUsedMB"),
        init_ms=metrics.get("initDurationMs"),
    )
