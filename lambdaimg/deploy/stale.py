"""What stands around the alias and is in the project file no more: found and removed only where that is asked for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdaimg.deploy import policies
from lambdaimg.deploy.change import Change, Deployment
from lambdaimg.deploy.configuration import Fields
from lambdaimg.deploy.function import MISSING

_NOT_PROVISIONED = (*MISSING, "ProvisionedConcurrencyConfigNotFoundException")


@dataclass(frozen=True, kw_only=True)
class _Left:
    """One thing that is left, and the call that removes it."""

    change: Change
    operation: str
    fields: Fields


@dataclass(frozen=True, kw_only=True)
class Stale:
    """URL, concurrency, event invoke configuration and sources without a setting; permissions of our own making."""

    to: Deployment

    def changes(self) -> list[Change]:
        return [left.change for left in self._left()]

    def apply(self) -> None:
        for left in self._left():
            self.to.aws.call("lambda", left.operation, **left.fields)

    def _left(self) -> list[_Left]:
        return [*self._concurrency(), *self._configurations(), *self._permissions(), *self._sources()]

    def _concurrency(self) -> Iterator[_Left]:
        settings = self.to.function.settings
        if settings.reserved_concurrency is None:
            found = self._find("get_function_concurrency", FunctionName=self.to.name)
            if (count := found.get("ReservedConcurrentExecutions")) is not None:
                fields = {"FunctionName": self.to.name}
                yield _left("reserved-concurrency", count, "delete_function_concurrency", fields)
        if settings.provisioned_concurrency is None:
            found = self._find("get_provisioned_concurrency_config", **self._alias())
            if count := found.get("RequestedProvisionedConcurrentExecutions"):
                yield _left("provisioned-concurrency", count, "delete_provisioned_concurrency_config", self._alias())

    def _configurations(self) -> Iterator[_Left]:
        settings = self.to.function.settings
        if settings.async_ is None and self._find("get_function_event_invoke_config", **self._alias()):
            yield _left("async", "a configuration", "delete_function_event_invoke_config", self._alias())
        if settings.url is None and (found := self._find("get_function_url_config", **self._alias())):
            yield _left("url", found["FunctionUrl"], "delete_function_url_config", self._alias())

    def _permissions(self) -> Iterator[_Left]:
        wanted = {each["Sid"] for each in policies.resource(self.to.aws.place, self.to.function)["Statement"]}
        found = self._find("get_policy", **self._alias())
        for statement in json.loads(found["Policy"])["Statement"] if found else ():
            sid = str(statement.get("Sid", ""))
            if sid.startswith(policies.OWN) and sid not in wanted:
                who = json.dumps(statement.get("Principal"))
                yield _left("permission", who, "remove_permission", {**self._alias(), "StatementId": sid})

    def _sources(self) -> Iterator[_Left]:
        found = self._find("list_event_source_mappings", FunctionName=self.to.alias_arn)
        for mapping in found.get("EventSourceMappings", ()):
            if mapping["EventSourceArn"] not in self.to.function.settings.triggers:
                fields = {"UUID": mapping["UUID"]}
                yield _left("source", mapping["EventSourceArn"], "delete_event_source_mapping", fields)

    def _alias(self) -> Fields:
        return {"FunctionName": self.to.name, "Qualifier": self.to.alias}

    def _find(self, operation: str, **fields: Any) -> Fields:
        found: Fields = self.to.aws.find("lambda", operation, _NOT_PROVISIONED, **fields) or {}
        return found


def _left(what: str, value: object, operation: str, fields: Fields) -> _Left:
    return _Left(change=Change(what=what, before=str(value), after=""), operation=operation, fields=fields)
