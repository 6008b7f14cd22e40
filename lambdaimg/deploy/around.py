"""What is set around the function and its alias: concurrency, asynchronous invocation, URL, permissions, sources."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.deploy import policies
from lambdaimg.deploy.change import Change, Deployment
from lambdaimg.deploy.configuration import Fields, event_invoke
from lambdaimg.deploy.function import MISSING
from lambdaimg.model.errors import RemoteError

_PATIENCE: Final = 900.0
"""Seconds that provisioned environments may take to be initialised."""
_PAUSE: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """The reserved concurrency; left as it is where the project file has none."""

    to: Deployment

    def changes(self) -> list[Change]:
        wanted = self.to.function.settings.reserved_concurrency
        found = self.to.aws.find("lambda", "get_function_concurrency", MISSING, FunctionName=self.to.name) or {}
        before = found.get("ReservedConcurrentExecutions")
        if wanted is None or wanted == before:
            return []
        return [Change(what="reserved-concurrency", before="" if before is None else str(before), after=str(wanted))]

    def apply(self) -> None:
        self.to.aws.call(
            *("lambda", "put_function_concurrency"),
            FunctionName=self.to.name,
            ReservedConcurrentExecutions=self.to.function.settings.reserved_concurrency,
        )


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """The alias's provisioned concurrency; left as it is where the project file has none."""

    to: Deployment

    def changes(self) -> list[Change]:
        wanted = self.to.function.settings.provisioned_concurrency
        if wanted is None:
            return []
        found = self._found()
        before = found.get("RequestedProvisionedConcurrentExecutions")
        if before == wanted and found.get("Status") != "FAILED":
            return []
        return [Change(what="provisioned-concurrency", before=str(before or ""), after=str(wanted))]

    def apply(self) -> None:
        count = self.to.function.settings.provisioned_concurrency
        self.to.aws.call(
            "lambda", "put_provisioned_concurrency_config", **self._names(), ProvisionedConcurrentExecutions=count
        )
        deadline = time.monotonic() + _PATIENCE
        while (found := self._found()).get("Status") == "IN_PROGRESS" and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        if found.get("Status") != "READY":
            reason = found.get("StatusReason", f"not ready after {_PATIENCE:.0f} s")
            raise RemoteError(f"{self.to.name}: provisioned concurrency: {reason}", remedy="mend it, and run it again")

    def _found(self) -> Fields:
        missing = (*MISSING, "ProvisionedConcurrencyConfigNotFoundException")
        found: Fields = self.to.aws.find("lambda", "get_provisioned_concurrency_config", missing, **self._names()) or {}
        return found

    def _names(self) -> Fields:
        return {"FunctionName": self.to.name, "Qualifier": self.to.alias}


@dataclass(frozen=True, kw_only=True)
class Asynchronous:
    """The event invoke configuration of the alias; left as it is where the project file has none."""

    to: Deployment

    def changes(self) -> list[Change]:
        settings = self.to.function.settings.async_
        if settings is None:
            return []
        names = {"FunctionName": self.to.name, "Qualifier": self.to.alias}
        found = self.to.aws.find("lambda", "get_function_event_invoke_config", MISSING, **names)
        wanted = event_invoke(self.to.aws.place, settings)
        if found is not None and _comparable(found) == _comparable(wanted):
            return []
        return [Change(what="async", before="" if found is None else "others", after=_described(wanted))]

    def apply(self) -> None:
        settings = self.to.function.settings.async_
        fields = event_invoke(self.to.aws.place, settings) if settings else {}
        self.to.aws.call(
            *("lambda", "put_function_event_invoke_config"),
            FunctionName=self.to.name,
            Qualifier=self.to.alias,
            **fields,
        )


def _comparable(fields: Fields) -> tuple[Any, ...]:
    targets = fields.get("DestinationConfig") or {}
    arns = [(targets.get(when) or {}).get("Destination") for when in ("OnSuccess", "OnFailure")]
    return fields.get("MaximumRetryAttempts"), fields.get("MaximumEventAgeInSeconds"), *arns


def _described(fields: Fields) -> str:
    retries, age, *arns = _comparable(fields)
    return ", ".join([f"{retries} retries", f"{age} s", *(arn for arn in arns if arn)])


@dataclass(frozen=True, kw_only=True)
class Url:
    """The alias's function URL; left as it is where the project file has none."""

    to: Deployment

    def changes(self) -> list[Change]:
        url = self.to.function.settings.url
        if url is None:
            return []
        found, wanted = self._found(), (url.auth, url.invoke_mode)
        before = (found["AuthType"], found.get("InvokeMode") or "BUFFERED") if found else ()
        return [] if before == wanted else [Change(what="url", before=", ".join(before), after=", ".join(wanted))]

    def apply(self) -> None:
        url = self.to.function.settings.url
        operation = "update_function_url_config" if self._found() else "create_function_url_config"
        if url:
            self.to.aws.call("lambda", operation, **self._names(), AuthType=url.auth, InvokeMode=url.invoke_mode)

    def _found(self) -> Any:
        return self.to.aws.find("lambda", "get_function_url_config", MISSING, **self._names())

    def _names(self) -> Fields:
        return {"FunctionName": self.to.name, "Qualifier": self.to.alias}


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """The statements of the alias's policy. Those that the project file doesn't need are left alone."""

    to: Deployment

    def changes(self) -> list[Change]:
        return [
            Change(what="permission", after=f"{fields['Action']} by {fields.get('SourceArn') or fields['Principal']}")
            for fields in map(policies.permission, self._missing())
        ]

    def apply(self) -> None:
        for statement in self._missing():
            self.to.aws.call(
                *("lambda", "add_permission"),
                FunctionName=self.to.name,
                Qualifier=self.to.alias,
                StatementId=statement["Sid"],
                **policies.permission(statement),
            )

    def _missing(self) -> list[policies.Statement]:
        """An id is made from what its statement says, so that the ids alone tell."""
        wanted: list[policies.Statement] = policies.resource(self.to.aws.place, self.to.function)["Statement"]
        if not wanted:
            return []
        names = {"FunctionName": self.to.name, "Qualifier": self.to.alias}
        found = self.to.aws.find("lambda", "get_policy", MISSING, **names)
        there = {each.get("Sid") for each in json.loads(found["Policy"])["Statement"]} if found else set()
        return [statement for statement in wanted if statement["Sid"] not in there]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """An event source mapping for each trigger that Lambda reads from. Others' mappings are left alone."""

    to: Deployment

    def changes(self) -> list[Change]:
        return [Change(what="source", after=trigger) for trigger in self._missing()]

    def apply(self) -> None:
        for trigger in self._missing():
            self.to.aws.call(
                *("lambda", "create_event_source_mapping"),
                FunctionName=self.to.alias_arn,
                **policies.source(trigger),
            )

    def _missing(self) -> list[str]:
        polled = [trigger for trigger in self.to.function.settings.triggers if policies.is_polled(trigger)]
        return [trigger for trigger in polled if not self._mapped(trigger)]

    def _mapped(self, trigger: str) -> bool:
        found = self.to.aws.find(
            *("lambda", "list_event_source_mappings", MISSING),
            FunctionName=self.to.alias_arn,
            EventSourceArn=trigger,
        )
        return bool(found and found["EventSourceMappings"])
