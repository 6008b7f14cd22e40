"""What a caller may call a function: its name, a partial ARN or the ARN, each with or without a qualifier."""

import re
from typing import Final

from lambdaimg.model.environment import VERSION
from lambdaimg.model.project import ACCOUNT, Function, Project
from lambdaimg.service.wire import ApiError, invalid, not_found

_NAME: Final = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


def find(project: Project, called: str, qualifier: str | None) -> Function:
    """The function of that name, for that qualifier: `$LATEST`, or the function's alias, which points there.

    Raises ApiError, as Lambda would.
    """
    match = _NAME.fullmatch(called)
    if match is None:
        raise invalid(called, "functionName", f"satisfy regular expression pattern: {_NAME.pattern}")
    if match["qualifier"] and qualifier and match["qualifier"] != qualifier:
        message = "The derived qualifier from the function name does not match the specified qualifier."
        raise ApiError(400, "InvalidParameterValueException", message)
    if match["region"] and match["region"] != project.region:
        message = f"Functions from '{match['region']}' are not reachable in this region ('{project.region}')"
        raise ApiError(404, "ResourceNotFoundException", message, key="Message")
    wanted = match["qualifier"] or qualifier
    arn = f"arn:aws:lambda:{project.region}:{match['account'] or ACCOUNT}:function:{match['name']}"
    function = next((each for each in project.functions if each.name == match["name"]), None)
    if function is None or match["account"] not in (None, ACCOUNT):
        raise not_found(arn)
    if wanted not in (None, VERSION, function.settings.alias):
        raise not_found(f"{arn}:{wanted}")
    return function
