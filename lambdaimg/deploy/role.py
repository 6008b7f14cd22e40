"""The execution role that is made where the project file names none."""

import json
from dataclasses import dataclass
from typing import Any, Final

from lambdaimg.deploy import policies
from lambdaimg.deploy.change import Change, Deployment
from lambdaimg.deploy.place import role_name

_MISSING: Final = ("NoSuchEntity", "NoSuchEntityException")
_POLICY: Final = "lambdaimg"
"""The name of the role's inline policy that is ours; others are left alone."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role of the function's own, with the rights of `policy` and no others."""

    to: Deployment

    def changes(self) -> list[Change]:
        if self.to.function.settings.role:
            return []
        if not self._exists():
            return [Change(what="role", after=self.to.role)]
        if self._rights() != self._wanted:
            return [Change(what=f"the rights of the role {self._name}", before="others", after="those of `policy`")]
        return []

    def apply(self) -> None:
        iam = self.to.aws
        if not self._exists():
            trust = json.dumps(policies.trust(at_edge=self._at_edge))
            iam.call("iam", "create_role", RoleName=self._name, AssumeRolePolicyDocument=trust)
        document = json.dumps(self._wanted)
        iam.call("iam", "put_role_policy", RoleName=self._name, PolicyName=_POLICY, PolicyDocument=document)

    @property
    def _name(self) -> str:
        return role_name(self.to.project, self.to.function)

    @property
    def _wanted(self) -> policies.Document:
        return policies.execution(self.to.aws.place, self.to.function, at_edge=self._at_edge)

    @property
    def _at_edge(self) -> bool:
        return self.to.project.is_at_edge(self.to.function)

    def _exists(self) -> bool:
        return self.to.aws.find("iam", "get_role", _MISSING, RoleName=self._name) is not None

    def _rights(self) -> Any:
        found = self.to.aws.find("iam", "get_role_policy", _MISSING, RoleName=self._name, PolicyName=_POLICY)
        return found and found["PolicyDocument"]
