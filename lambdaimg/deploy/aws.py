"""AWS's APIs, through boto3 and the user's own profiles; boto3 is loaded when it is needed, and retries as it does.

Every refusal becomes one of our errors, with what to do about it.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from lambdaimg.deploy.place import Place
from lambdaimg.model.errors import AwsRefused, RemoteError, UsageError

_RENEW: Final = "renew the credentials: `aws sso login`, or new keys"
_REMEDIES: Final = {
    "AccessDenied": "`lambdaimg policy --deploy` and `--push` print what is needed",
    "AccessDeniedException": "`lambdaimg policy --deploy` and `--push` print what is needed",
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "InvalidClientTokenId": _RENEW,
    "UnrecognizedClientException": _RENEW,
    "InvalidSignatureException": "check the secret key, and this machine's clock",
    "CodeStorageExceededException": "delete versions that nobody uses, or ask AWS for more storage",
    "LimitExceededException": "delete what nobody uses, or ask AWS to raise the quota",
    "ServiceQuotaExceededException": "delete what nobody uses, or ask AWS to raise the quota",
    "LimitExceeded": "delete what nobody uses, or ask AWS to raise the quota",
    "TooManyRequestsException": "run it again in a minute: what is done stays done",
    "ThrottlingException": "run it again in a minute: what is done stays done",
    "ResourceConflictException": "somebody else is changing the function: run it again when that is done",
    "PreconditionFailedException": "somebody else changed the function meanwhile: run it again",
}


class Aws:
    """The services of a Region, as one profile reaches them."""

    def __init__(self, *, region: str, profile: str = "", endpoint_url: str = "") -> None:
        self.region = region
        self._endpoint_url = endpoint_url or None
        self._clients: dict[str, Any] = {}
        with _translated("boto3", "Session"):
            self._session = _boto3().Session(profile_name=profile or None, region_name=region)

    @cached_property
    def place(self) -> Place:
        """The Region, in the account that the credentials belong to."""
        return Place.of(self.region, str(self.call("sts", "get_caller_identity")["Account"]))

    def call(self, service: str, operation: str, **fields: Any) -> Any:
        """One call of an API. Raises AwsRefused with AWS's code, and RemoteError when nobody answers."""
        with _translated(service, operation):
            return getattr(self.client(service), operation)(**fields)

    def find(self, service: str, operation: str, missing: Collection[str], **fields: Any) -> Any:
        """The same for what may not be there: None when AWS answers with one of the codes `missing`."""
        try:
            return self.call(service, operation, **fields)
        except AwsRefused as refused:
            if refused.code in missing:
                return None
            raise

    def wait(self, service: str, waiter: str, **fields: Any) -> None:
        """Waits until AWS is done, as botocore does. Raises RemoteError with AWS's reason when it fails."""
        with _translated(service, waiter):
            self.client(service).get_waiter(waiter).wait(**fields)

    def upload(self, file: str, bucket: str, key: str) -> None:
        with _translated("s3", "upload_file"):
            self.client("s3").upload_file(file, bucket, key)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self._endpoint_url)
        return self._clients[service]


def _boto3() -> Any:
    try:
        import boto3
    except ImportError:
        raise UsageError("AWS is reached through boto3, which is not installed", remedy=INSTALL) from None
    return boto3


INSTALL: Final = "pip install 'lambdaimg[aws]'"


@contextmanager
def _translated(service: str, operation: str) -> Iterator[None]:
    """botocore's errors as ours."""
    _boto3()
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as botocore

    try:
        yield
    except botocore.ClientError as error:
        raise _refused(service, operation, error.response.get("Error", {})) from None
    except botocore.WaiterError as error:
        raise RemoteError(
            f"{service} {operation}: {_reason(error)}", remedy="mend what it says, and run it again"
        ) from None
    except (botocore.NoCredentialsError, botocore.PartialCredentialsError, botocore.TokenRetrievalError) as error:
        raise RemoteError(
            f"no AWS credentials: {error}", remedy="name a profile with --profile, or see `aws configure`"
        ) from None
    except botocore.ProfileNotFound as error:
        raise UsageError(str(error), remedy="correct --profile, or see `aws configure list-profiles`") from None
    except (botocore.BotoCoreError, Boto3Error) as error:
        raise RemoteError(f"{service} {operation}: {error}", remedy="check the network, and --endpoint-url") from None


def _refused(service: str, operation: str, error: Any) -> AwsRefused:
    code = str(error.get("Code", "Unknown"))
    said = str(error.get("Message", "")).strip()
    return AwsRefused(
        f"AWS refused {service}:{operation.replace('_', '-')}: {code}{': ' + said if said else ''}",
        code=code,
        remedy=_REMEDIES.get(code, ""),
    )


def _reason(error: Any) -> str:
    """Why a function did not become what was waited for: its state's own reason, when the last answer has it."""
    last = error.last_response if isinstance(error.last_response, dict) else {}
    found = last.get("Configuration", last)
    reasons = [found.get(key) for key in ("StateReason", "LastUpdateStatusReason")]
    codes = [found.get(key) for key in ("StateReasonCode", "LastUpdateStatusReasonCode")]
    said = [str(word) for word in (*codes, *reasons) if word]
    return ": ".join(said) or str(error)
