"""`lambdaimg deploy`."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from lambdaimg.cli.aws_options import aws_options, connect
from lambdaimg.cli.image_option import image_option, images_of
from lambdaimg.cli.package import make_packages
from lambdaimg.cli.session import Session, pass_session
from lambdaimg.model.errors import UsageError

if TYPE_CHECKING:
    from lambdaimg.deploy.artifact import Artifact
    from lambdaimg.deploy.aws import Aws
    from lambdaimg.deploy.change import Deployment
    from lambdaimg.deploy.rollout import Rollout, Verify
    from lambdaimg.model.project import Function


@click.command("deploy")
@click.argument("functions", nargs=-1, metavar="[FN]...")
@click.option("--plan", "only_plan", is_flag=True, help="Print what would be made or changed, and change nothing.")
@click.option("--prune", is_flag=True, help="Also remove what the project file has no more around the alias.")
@image_option
@click.option("--zip", "as_zip", is_flag=True, help="As zips on Lambda's own runtimes, which `package` makes.")
@click.option("--s3", "bucket", default="", help="Send the zips through this bucket.", metavar="BUCKET")
@click.option(
    "--verify",
    "case",
    help="Then run the test cases with this in their name against the alias; take it back when one fails.",
    metavar="CASE",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@aws_options
@pass_session
def command(
    session: Session,
    functions: tuple[str, ...],
    only_plan: bool,
    prune: bool,
    images: tuple[str, ...],
    as_zip: bool,
    bucket: str,
    case: str | None,
    as_json: bool,
    profile: str,
    endpoint_url: str,
) -> int:
    """Push the functions FN (default: all), and make AWS Lambda what the project file says.

    Each is created or updated by the digest of its image or zip, published as a version, and the alias moved to it.
    Where nothing differs, nothing is done, so that an interrupted run can be run again. Nothing is deleted without
    --prune.

    \b
    Example:
      lambdaimg deploy hello --plan
    """
    from lambdaimg.deploy.at_edge import refuse_images
    from lambdaimg.deploy.change import Deployment
    from lambdaimg.deploy.rollout import plan

    chosen = session.project.select(functions)
    given = images_of(chosen, images)
    if (as_zip and given) or (bucket and not as_zip):
        raise UsageError("a function is an image or a zip", remedy="--image, or --zip with or without --s3")
    if not as_zip:
        refuse_images(session.project, chosen)
    aws = connect(session, profile, endpoint_url)
    made = _zips(session, chosen, aws, bucket, only_plan) if as_zip else _images(session, chosen, aws, given, only_plan)
    ready = [
        Deployment(aws=aws, project=session.project, function=function, artifact=made[function.name])
        for function in chosen
    ]
    if only_plan:
        plans = {to.name: [str(change) for change in plan(to, prune=prune)] for to in ready}
        click.echo(json.dumps(plans, indent=2) if as_json else _shown(plans))
        return 0
    done = _roll_out(session, ready, case, prune)
    lines = [f"{each.function}: {_state(each)}: version {each.version}, {each.alias_arn}" for each in done]
    click.echo(json.dumps([_row(each) for each in done], indent=2) if as_json else "\n".join(lines))
    return 1 if any(each.wrong for each in done) else 0


def _images(
    session: Session, functions: "Sequence[Function]", aws: "Aws", given: Mapping[str, str], only_plan: bool
) -> "dict[str, Artifact]":
    """The functions' images: the given ones, the others pushed; a plan only looks whether they are there."""
    from lambdaimg.deploy.artifact import Image
    from lambdaimg.deploy.ecr import check_reference
    from lambdaimg.deploy.push import Pusher, elastic_registry

    for reference in given.values():
        check_reference(reference, aws.region)
    local = [function for function in functions if function.name not in given]
    found = dict(given)
    if local:
        registry = elastic_registry(aws, session.project, session.say, make=not only_plan)
        pusher = Pusher(engine=session.engine, project=session.project, registry=registry, say=session.say)
        found |= pusher.references(local) if only_plan else {each.function: each.image for each in pusher.push(local)}
    return {name: Image(reference=reference) for name, reference in found.items()}


def _zips(
    session: Session, functions: "Sequence[Function]", aws: "Aws", bucket: str, only_plan: bool
) -> "dict[str, Artifact]":
    from lambdaimg.deploy.artifact import Sender

    packages = make_packages(session, functions, None)
    sender = Sender(aws=aws, project=session.project, packages=packages, bucket=bucket, make=not only_plan)
    return {function.name: sender.zip(function) for function in functions}


def _roll_out(session: Session, ready: "Sequence[Deployment]", case: str | None, prune: bool) -> "list[Rollout]":
    from lambdaimg.deploy.rollout import roll_out

    verifying = {to.name: _verification(to, case) for to in ready}  # a wrong case is found before anything is changed
    done = []
    for to in ready:
        rollout = roll_out(to, session.say, verifying[to.name], prune=prune)
        done.append(rollout)
        if rollout.wrong:
            session.warn(f"{to.name}: what is deployed does not answer as it should:\n{rollout.wrong}")
    return done


def _verification(to: "Deployment", case: str | None) -> "Verify | None":
    from lambdaimg.deploy.verify import cases_of, verify

    if case is None:
        return None
    cases = cases_of(to, case)
    return lambda to: verify(to, cases)


def _shown(plans: Mapping[str, Sequence[str]]) -> str:
    lines = []
    for name, changes in plans.items():
        lines += [f"{name}:", *(f"  {change}" for change in changes)] if changes else [f"{name}: nothing to change"]
    return "\n".join(lines)


def _state(rollout: "Rollout") -> str:
    if rollout.wrong:
        return "taken back" if rollout.taken_back else "left as it is, for there is no version to go back to"
    return "deployed" if rollout.changes else "nothing to change"


def _row(rollout: "Rollout") -> dict[str, object]:
    return {
        "function": rollout.function,
        "changes": [str(change) for change in rollout.changes],
        "version": rollout.version,
        "alias": rollout.alias_arn,
        "verified": not rollout.wrong,
    }
