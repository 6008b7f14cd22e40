"""The environment variables that Lambda sets for a function (image-requirements.md §6), as the RIE needs them given."""

from lambdaimg.model.project import Function, Project


def lambda_variables(project: Project, function: Function) -> dict[str, str]:
    """What Lambda sets besides the function's own variables; the RIE makes up others unless it is told.

    `AWS_LAMBDA_FUNCTION_TIMEOUT` is the RIE's, in seconds; Lambda has no such variable.
    """
    settings = function.settings
    return {
        "AWS_DEFAULT_REGION": project.region,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(settings.timeout),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": project.region,
        "LAMBDA_TASK_ROOT": "/var/task",
        "TZ": ":UTC",
    }


DUMMY_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_SESSION_TOKEN": "none",
}
"""What a function sees when it is given no credentials: AWS refuses them, and the RIE starts with them."""
