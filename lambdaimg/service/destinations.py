"""Where the records of asynchronous invocations go: files and URLs of this machine, and AWS's own targets by boto3."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from lambdaimg.model.errors import LambdaimgError

_PATIENCE: Final = aiohttp.ClientTimeout(total=30)
_ERROR_MESSAGE_BYTES: Final = 1024
"""Of a dead letter's attribute ErrorMessage."""


class Undeliverable(LambdaimgError):
    """A destination could not be told."""

    exit_code = 6


class Destinations:
    """Delivers records. Paths are relative to `folder`; boto3 has endpoint and credentials from its own settings."""

    def __init__(self, folder: Path, region: str) -> None:
        self._folder = folder
        self._region = region

    async def deliver(self, target: str, record: Mapping[str, Any]) -> None:
        """Hands a record to a destination. Raises Undeliverable."""
        text = json.dumps(record)
        if target.startswith("file:"):
            await asyncio.to_thread(self._append, target.removeprefix("file:"), text)
        elif target.startswith(("http://", "https://")):
            await _post(target, text)
        else:
            await asyncio.to_thread(self._send, target, text, {}, record)

    async def dead_letter(self, target: str, event: bytes, record: Mapping[str, Any]) -> None:
        """Hands an event to a dead-letter queue, as it came, with attributes that say why. Raises Undeliverable."""
        error = record.get("responsePayload")
        message = error.get("errorMessage", "") if isinstance(error, dict) else record["requestContext"]["condition"]
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": record["requestContext"]["requestId"]},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": (message or "-")[:_ERROR_MESSAGE_BYTES]},
        }
        await asyncio.to_thread(self._send, target, event.decode("utf-8", "replace"), attributes, record)

    def _append(self, path: str, text: str) -> None:
        try:
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as stream:
                stream.write(text + "\n")
        except OSError as error:
            raise Undeliverable(str(error)) from None

    def _send(self, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise Undeliverable("it takes boto3: pip install 'lambdaimg[aws]'") from None
        service = arn.split(":")[2]
        client = boto3.client(service, region_name=arn.split(":")[3] or self._region)
        try:
            _TO_AWS[service](client, arn, text, attributes, record)
        except (BotoCoreError, ClientError) as error:
            raise Undeliverable(str(error)) from None
        finally:
            with contextlib.suppress(Exception):
                client.close()


async def _post(url: str, text: str) -> None:
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.post(url, data=text, headers={"Content-Type": "application/json"}) as answer,
        ):
            if answer.status >= 300:
                raise Undeliverable(f"it answered {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Undeliverable(str(error) or "no answer in time") from None


def _to_sqs(client: Any, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    url = client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=dict(attributes))


def _to_sns(client: Any, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    client.publish(TopicArn=arn, Message=text, MessageAttributes=dict(attributes))


def _to_event_bus(client: Any, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    context = record["requestContext"]
    outcome = "Success" if context["condition"] == "Success" else "Failure"
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {outcome}",
        "Resources": [arn, context["functionArn"]],
        "Detail": text,
        "EventBusName": arn.rpartition("/")[2],
    }
    client.put_events(Entries=[entry])


def _to_s3(client: Any, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """The key: `aws/lambda/async/<function>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`."""
    at = record["timestamp"][:19]
    function = record["requestContext"]["functionArn"].split(":")[6]
    key = f"aws/lambda/async/{function}/{at[:10].replace('-', '/')}/{at.replace(':', '.')}-{uuid.uuid4()}"
    client.put_object(Bucket=arn.rpartition(":")[2], Key=key, Body=text.encode())


def _to_lambda(client: Any, arn: str, text: str, attributes: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())


_TO_AWS: Final = {
    "sqs": _to_sqs,
    "sns": _to_sns,
    "events": _to_event_bus,
    "s3": _to_s3,
    "lambda": _to_lambda,
}
