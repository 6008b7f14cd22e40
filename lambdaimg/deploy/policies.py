"""IAM policies of a function: the smallest that are enough. Pure: settings in, documents out.

Sources: Lambda Developer Guide, "Defining Lambda function permissions with an execution role", "Resource-based
policies", "Giving Lambda functions access to resources in a VPC", "Access control for function URLs"; ECR User Guide,
"Private repository policies"; the Service Authorization Reference for which actions take no resource.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from lambdaimg.deploy.place import Place, destinations, layer_name
from lambdaimg.model.project import Function, Project

Statement = dict[str, Any]
Document = dict[str, Any]

OWN: Final = "lambdaimg"
"""How the ids of our own statements begin, by which they are told from others'."""
LAMBDA: Final = "lambda.amazonaws.com"
EDGE: Final = "edgelambda.amazonaws.com"

_NETWORK: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_POLLING: Final = {
    "sqs": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "kinesis": (
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ),
    "dynamodb": (
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ),
}
_SENDING: Final = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}
_CALLERS: Final = {
    "s3": "s3.amazonaws.com",
    "sns": "sns.amazonaws.com",
    "events": "events.amazonaws.com",
    "execute-api": "apigateway.amazonaws.com",
    "elasticloadbalancing": "elasticloadbalancing.amazonaws.com",
    "logs": "logs.amazonaws.com",
}
_PULLING: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSHING: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:CreateRepository",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
    "ecr:UploadLayerPart",
)
_DEPLOYING: Final = (
    "lambda:AddPermission",
    "lambda:CreateAlias",
    "lambda:CreateFunction",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteFunctionConcurrency",
    "lambda:DeleteFunctionEventInvokeConfig",
    "lambda:DeleteFunctionUrlConfig",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:GetAlias",
    "lambda:GetFunction",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetFunctionUrlConfig",
    "lambda:GetPolicy",
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:InvokeFunction",
    "lambda:PublishVersion",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "lambda:RemovePermission",
    "lambda:TagResource",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionUrlConfig",
)
_ROLE_MAKING: Final = ("iam:CreateRole", "iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy")


def service_of(arn: str) -> str:
    """The service of an ARN, whose partition may be a template's `${AWS::Partition}`."""
    found = re.match(r"arn:(?:\$\{[^}]*\}|[^:]*):([^:]*):", arn)
    return found[1] if found else ""


def is_polled(trigger: str) -> bool:
    """Whether Lambda reads from a trigger; the others call the function."""
    return service_of(trigger) in _POLLING


def document(statements: Sequence[Statement]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: str | Sequence[str], resource: str | Sequence[str], **more: Any) -> Statement:
    listed = actions if isinstance(actions, str) else sorted(actions)
    return {"Effect": "Allow", "Action": listed, "Resource": resource, **more}


def trust(*, at_edge: bool) -> Document:
    """Who may be given the execution role: the Lambda service alone, or at the edge its replicas too."""
    service = [LAMBDA, EDGE] if at_edge else LAMBDA
    return document([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}])


def execution(place: Place, function: Function, *, at_edge: bool) -> Document:
    """What the execution role is for, besides what the function's own code calls."""
    return document(
        [
            *_writing(place.log_group(function)),
            *(_writing(place.edge_log_group(function)) if at_edge else ()),
            *_network(place, function),
            *_watching(place, function),
            *_data(place, function),
        ]
    )


def _writing(log_group: str) -> Iterator[Statement]:
    yield allow(("logs:CreateLogGroup", "logs:CreateLogStream"), f"{log_group}:*")
    yield allow("logs:PutLogEvents", f"{log_group}:log-stream:*")


def _network(place: Place, function: Function) -> Iterator[Statement]:
    """Lambda's service makes the interfaces, with the role's rights, on resources that nobody can name before.

    The function's own code is kept from using them (Developer Guide, "Best practices for … VPC").
    """
    if function.settings.vpc and function.settings.vpc.subnet_ids:
        yield allow(_NETWORK, "*")
        own = {"ArnEquals": {"lambda:SourceFunctionArn": place.function(function.name)}}
        yield {"Effect": "Deny", "Action": list(_NETWORK), "Resource": "*", "Condition": own}


def _watching(place: Place, function: Function) -> Iterator[Statement]:
    if function.settings.tracing == "Active":
        yield allow(("xray:PutTelemetryRecords", "xray:PutTraceSegments"), "*")  # X-Ray has no resource for these
    if function.settings.insights:
        yield from _writing(place.arn("logs", "log-group:/aws/lambda-insights"))


def _data(place: Place, function: Function) -> Iterator[Statement]:
    settings = function.settings
    if settings.kms_key:
        yield allow("kms:Decrypt", settings.kms_key)
    if settings.file_system:
        own = {"ArnEquals": {"elasticfilesystem:AccessPointArn": settings.file_system.access_point}}
        mounting = ("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite")
        yield allow(mounting, place.arn("elasticfilesystem", "file-system/*"), Condition=own)
    for trigger in sorted(filter(is_polled, settings.triggers)):
        yield allow(_POLLING[service_of(trigger)], trigger)
        if service_of(trigger) == "kinesis":
            yield allow("kinesis:ListStreams", "*")  # it takes no resource
    for named in destinations(settings.async_):
        yield from _sending(place.destination(named))


def _sending(target: str) -> Iterator[Statement]:
    if service_of(target) == "s3":
        yield allow("s3:PutObject", f"{target}/*")
        yield allow("s3:ListBucket", target)
    else:
        yield allow(_SENDING[service_of(target)], target)


def invoke(place: Place, function: Function) -> Document:
    """For a caller's identity: the function, and its versions and aliases, which are resources of their own."""
    arn = place.function(function.name)
    return document([allow("lambda:InvokeFunction", [arn, f"{arn}:*"])])


def resource(place: Place, function: Function) -> Document:
    """The alias's own policy: who may invoke it (triggers, permissions, the function URL)."""
    target = place.function(f"{function.name}:{function.settings.alias}")
    return document([{**statement, "Resource": target} for statement in _callers(place, function)])


def _callers(place: Place, function: Function) -> Iterator[Statement]:
    settings = function.settings
    for trigger in settings.triggers:
        if not is_polled(trigger):
            yield _trigger(place, trigger)
    for principal in settings.permissions:
        yield _caller("lambda:InvokeFunction", {"AWS": _principal(place, principal)})
    if settings.url:
        yield from _url(place, function)


def _trigger(place: Place, trigger: str) -> Statement:
    service = service_of(trigger)
    condition: dict[str, Any] = {"ArnLike": {"AWS:SourceArn": trigger}}
    if service == "s3":  # a bucket's ARN names no account, and a deleted bucket's name is free for others
        condition["StringEquals"] = {"AWS:SourceAccount": place.account}
    return _caller("lambda:InvokeFunction", {"Service": _CALLERS[service]}, condition)


def _url(place: Place, function: Function) -> Iterator[Statement]:
    """Both statements that a function URL needs, for anybody (`NONE`) or for those of `permissions`."""
    url = function.settings.url
    auth = url.auth if url else ""
    callers = ["*"] if auth == "NONE" else [_principal(place, name) for name in function.settings.permissions]
    for caller in callers:
        principal = "*" if caller == "*" else {"AWS": caller}
        by_auth = {"StringEquals": {"lambda:FunctionUrlAuthType": auth}}
        yield _caller("lambda:InvokeFunctionUrl", principal, by_auth)
        by_url = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
        yield _caller("lambda:InvokeFunction", principal, by_url)


def _principal(place: Place, name: str) -> str:
    return f"arn:{place.partition}:iam::{name}:root" if name.isdigit() else name


def _caller(action: str, principal: Any, condition: Any = None) -> Statement:
    """A statement whose id is made from what it says, so that it is known again by the id alone."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return {"Sid": f"{OWN}{hashlib.sha256(json.dumps(statement).encode()).hexdigest()[:12]}", **statement}


def permission(statement: Statement) -> dict[str, Any]:
    """A statement of `resource` as the fields of AddPermission (and of AWS::Lambda::Permission)."""
    conditions = {
        name.rpartition(":")[2]: value
        for condition in statement.get("Condition", {}).values()
        for name, value in condition.items()
    }
    principal = statement["Principal"]
    fields = {
        "Action": statement["Action"],
        "Principal": principal if principal == "*" else next(iter(principal.values())),
        **{name: value for name, value in conditions.items() if name != "InvokedViaFunctionUrl"},
    }
    return {**fields, "InvokedViaFunctionUrl": True} if "InvokedViaFunctionUrl" in conditions else fields


def source(trigger: str) -> dict[str, Any]:
    """A polled trigger as the fields of CreateEventSourceMapping; a stream is read from its newest record on."""
    fields = {"EventSourceArn": trigger}
    return fields if service_of(trigger) == "sqs" else {**fields, "StartingPosition": "LATEST"}


def repository() -> Document:
    """The repository's own policy: Lambda may pull its images."""
    statement = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": LAMBDA},
        "Action": list(_PULLING),
    }
    return document([statement])


def pusher(place: Place, project: Project) -> Document:
    """For who runs `push`."""
    return document([allow("ecr:GetAuthorizationToken", "*"), allow(_PUSHING, place.repository(project))])


def deployer(place: Place, project: Project, function: Function) -> Document:
    """For who runs `deploy`."""
    arn, settings = place.function(function.name), function.settings
    role = place.role_of(project, function)
    passing = {"StringEquals": {"iam:PassedToService": LAMBDA}}
    statements = [
        allow(_DEPLOYING, [arn, f"{arn}:*"]),
        allow(_PULLING, place.repository(project)),
        allow("iam:PassRole", role, Condition=passing),
    ]
    if not settings.role:
        statements.append(allow(_ROLE_MAKING, role))
    if any(map(is_polled, settings.triggers)):
        statements += _sourcing(place, arn)
    if settings.layers:
        layers = [place.arn("lambda", f"layer:{layer_name(project, name)}") for name in settings.layers]
        statements += _layering(layers)
    if settings.vpc and settings.vpc.subnet_ids:
        statements.append(allow(("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"), "*"))
    if settings.kms_key:
        statements.append(allow(("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"), settings.kms_key))
    return document(statements)


def _layering(layers: list[str]) -> list[Statement]:
    """The layers of a function that is deployed as a zip."""
    return [
        allow("lambda:PublishLayerVersion", layers),
        allow("lambda:GetLayerVersion", [f"{layer}:*" for layer in layers]),
        allow("lambda:ListLayerVersions", "*"),  # it takes no resource
    ]


def _sourcing(place: Place, arn: str) -> list[Statement]:
    """An event source mapping is no resource until it is made; the condition keeps it to this function."""
    own = {"ArnLike": {"lambda:FunctionArn": [arn, f"{arn}:*"]}}
    return [
        allow("lambda:CreateEventSourceMapping", "*", Condition=own),
        allow("lambda:DeleteEventSourceMapping", place.arn("lambda", "event-source-mapping:*"), Condition=own),
        allow("lambda:ListEventSourceMappings", "*"),
    ]
