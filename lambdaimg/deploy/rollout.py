"""A deployment from its plan to its verification: each step done only where something differs, so it can be resumed."""

from collections.abc import Callable
from dataclasses import dataclass

from lambdaimg.deploy.around import Asynchronous, Permissions, Provisioned, Reserved, Sources, Url
from lambdaimg.deploy.change import Change, Deployment, Step
from lambdaimg.deploy.function import Code, Version
from lambdaimg.deploy.role import Role
from lambdaimg.deploy.stale import Stale

Say = Callable[[str], None]
Verify = Callable[[Deployment], str]
"""Invokes what is deployed; says what is wrong with the answer, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How a deployment ended, and the version that the alias points to. `wrong` is what verification found."""

    function: str
    changes: tuple[Change, ...]
    alias_arn: str
    version: str
    wrong: str
    taken_back: bool
    """Whether the alias went back to where it was: not where that was nowhere, or where it had not moved."""


def plan(to: Deployment, *, prune: bool) -> list[Change]:
    """What `roll_out` would make, change or remove now. Raises AwsRefused."""
    return [change for step in _steps(to, prune) for change in step.changes()]


def roll_out(to: Deployment, say: Say, verify: Verify | None, *, prune: bool) -> Rollout:
    """Makes and changes what differs, one step after the other, and moves the alias; removes things with `prune` alone.

    Where verification finds something wrong, the alias goes back to where it was. Raises AwsRefused and RemoteError;
    what is done stays done, and the next run goes on from there.
    """
    version = Version(to=to)
    before = version.current()
    done: list[Change] = []
    for step in _steps(to, prune):
        changes = step.changes()
        for change in changes:
            say(f"{to.name}: {change}")
        if changes:
            step.apply()
        done += changes
    wrong = verify(to) if verify else ""
    after = version.current()
    taken_back = bool(wrong and before and before != after)
    if taken_back:
        say(f"{to.name}: the alias {to.alias} goes back to version {before}")
        version.point_to(before)
    return Rollout(
        function=to.name,
        changes=tuple(done),
        alias_arn=to.alias_arn,
        version=before if taken_back else after,
        wrong=wrong,
        taken_back=taken_back,
    )


def _steps(to: Deployment, prune: bool) -> list[Step]:
    """In the order in which one needs the other."""
    return [
        Role(to=to),
        Code(to=to),
        Reserved(to=to),
        Version(to=to),
        Provisioned(to=to),
        Asynchronous(to=to),
        Url(to=to),
        Permissions(to=to),
        Sources(to=to),
        *([Stale(to=to)] if prune else []),
    ]
