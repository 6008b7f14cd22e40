"""`lambdaimg policy`."""

import json
from typing import TYPE_CHECKING, Any

import click

from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.deploy.place import Place
    from lambdaimg.model.project import Function


@click.command("policy")
@click.argument("function", required=False, metavar="[FN]")
@click.option("--role", "kind", flag_value="role", default=True, help="The execution role's rights (the default).")
@click.option("--trust", "kind", flag_value="trust", help="Who may be given the execution role.")
@click.option("--invoke", "kind", flag_value="invoke", help="For a caller's identity.")
@click.option("--resource", "kind", flag_value="resource", help="The alias's own: triggers, permissions, URL.")
@click.option("--repository", "kind", flag_value="repository", help="The ECR repository's own: Lambda may pull.")
@click.option("--push", "kind", flag_value="push", help="For who runs `push`.")
@click.option("--deploy", "kind", flag_value="deploy", help="For who runs `deploy`.")
@click.option("--edge", "kind", flag_value="edge", help="For who puts the function before a distribution's requests.")
@click.option("--account", default="", help="The account; default: the one that the settings name.", metavar="ID")
@pass_session
def command(session: Session, function: str | None, kind: str, account: str) -> None:
    """Print the smallest IAM policy that the function FN needs.

    \b
    Example:
      lambdaimg policy hello --account 123456789012
    """
    from lambdaimg.deploy.place import Place, account_of

    chosen = session.project.one(function)
    if account and not (account.isdigit() and len(account) == 12):
        raise UsageError(f"{account!r} is not an account's number", remedy="it has 12 digits")
    place = Place.of(session.project.region, account_of(chosen, account))
    click.echo(json.dumps(_policy(session, chosen, kind, place), indent=2))


def _policy(session: Session, function: "Function", kind: str, place: "Place") -> dict[str, Any]:
    from lambdaimg.deploy import policies

    at_edge = session.project.is_at_edge(function)
    match kind:
        case "edge":
            return _edge(session, function, place)
        case "trust":
            return policies.trust(at_edge=at_edge)
        case "invoke":
            return policies.invoke(place, function)
        case "resource":
            return _resource(place, function)
        case "repository":
            return policies.repository()
        case "push":
            return policies.pusher(place, session.project)
        case "deploy":
            return policies.deployer(place, session.project, function)
    return policies.execution(place, function, at_edge=at_edge)


def _edge(session: Session, function: "Function", place: "Place") -> dict[str, Any]:
    from lambdaimg.deploy import at_edge

    edge = session.project.edge
    if edge is None or not session.project.is_at_edge(function):
        raise UsageError(f"no behavior of [edge] has {function.name}", remedy="name it at a trigger")
    return at_edge.deployer(place, edge, function)


def _resource(place: "Place", function: "Function") -> dict[str, Any]:
    from lambdaimg.deploy import policies

    found = policies.resource(place, function)
    if not found["Statement"]:
        raise UsageError(
            f"{function.name} has no triggers that call it, no permissions and no public URL: nothing to allow",
            remedy="`policy --invoke` says what a caller's own identity needs",
        )
    return found
