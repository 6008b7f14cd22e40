"""`serve`, asynchronously: accepted events are retried, told to their destinations, and never lost."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from tests.integration.aws_fixtures import Aws, aws, aws_server, registry
from tests.integration.conftest import Sandboxed, make_project
from tests.integration.serve_fixtures import REGION, Serve, end, functions, serve, until

__all__ = ["aws", "aws_server", "registry"]

EVENT = {"X-Amz-Invocation-Type": "Event"}
QUICK = ("--time-scale", "0.001")
"""60 s between two attempts are 0.06."""
ACCOUNT = "123456789012"
TO_FILE = '[functions.does.async]\non-success = "file:told/success.jsonl"\n'


class Listener(HTTPServer):
    """Answers every post with 200, and has what it got in `got`."""

    def __init__(self) -> None:
        self.got: Queue[Any] = Queue()
        super().__init__(("127.0.0.1", 0), Answering)


class Answering(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        self.server.got.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Serve]:
    url = f"http://127.0.0.1:{listener.server_port}/"
    for project in make_project(tmp_path_factory.mktemp("asynchronous") / "project"):
        functions(
            project,
            does=f'{TO_FILE}on-failure = "file:told/failure.jsonl"\n',
            posts=f'[functions.posts.async]\non-success = "{url}"\non-failure = "{url}"\n',
            passes='[functions.passes.async]\nmaximum-retry-attempts = 0\non-success = "function:posts"\n',
            none=f'reserved-concurrency = 0\n[functions.none.async]\non-failure = "{url}"\n',
            late=f'[functions.late.async]\nmaximum-event-age = 60\non-failure = "{url}"\n',
        )
        with serve(project, *QUICK) as running:
            yield running


def records(served: Serve, file: str) -> list[Any]:
    path = served.project.root / "told" / file
    written = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in written.splitlines()]


def told(served: Serve, numbers: set[int]) -> bool:
    """Whether the events with these numbers have succeeded, and no others."""
    return {record["requestPayload"]["number"] for record in records(served, "success.jsonl")} == numbers


def test_a_success_is_told_with_awss_record(served: Serve) -> None:
    answer = served.post({"a": 1}, **EVENT)
    assert (answer.status_code, answer.content) == (202, b"")
    until(lambda: records(served, "success.jsonl"), "a record")
    (record,) = records(served, "success.jsonl")
    assert record.keys() == {
        *("version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload")
    }
    assert record["requestContext"] == {
        "requestId": answer.headers["x-amzn-RequestId"],
        "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:does:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert (record["requestPayload"], record["responsePayload"]["event"]) == ({"a": 1}, {"a": 1})
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"]["id"] == record["requestContext"]["requestId"]


def test_a_failure_is_tried_three_times_and_told_once(served: Serve) -> None:
    served.post({"fail": "no", "print": "it tries"}, **EVENT)
    until(lambda: records(served, "failure.jsonl"), "a record")
    (record,) = records(served, "failure.jsonl")
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "no"
    assert sum("it tries" in line for line in served.said) == 3


def test_a_url_and_another_function_are_told(served: Serve, listener: Listener) -> None:
    served.post({"a": 2}, "passes", **EVENT)
    of_posts = listener.got.get(timeout=60)
    of_passes = of_posts["requestPayload"]
    assert of_posts["requestContext"]["functionArn"].endswith(":posts:$LATEST")
    assert of_passes["requestContext"]["functionArn"].endswith(":passes:$LATEST")
    assert of_passes["requestPayload"] == {"a": 2}


def test_a_stopped_function_fails_its_events_at_once(served: Serve, listener: Listener) -> None:
    assert served.post({"a": 3}, "none", **EVENT).status_code == 202
    record = listener.got.get(timeout=60)
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert "responsePayload" not in record


def test_an_event_that_can_not_run_in_time_is_given_up(served: Serve, listener: Listener) -> None:
    """Throttled events go back into the queue, until they are too old."""
    with ThreadPoolExecutor() as threads:
        served.client().put_function_concurrency(FunctionName="late", ReservedConcurrentExecutions=1)
        running = threads.submit(served.post, {"wait": True, "print": "it waits"}, "late")
        served.hears("late  it waits")
        served.post({"a": 4}, "late", **EVENT)
        record = listener.got.get(timeout=60)
        assert record["requestContext"]["condition"] == "EventAgeExceeded"
        assert record["requestPayload"] == {"a": 4}
        served.let_go("late")
        assert running.result().status_code == 200


def test_awss_own_targets_are_told(aws: Aws, project: Sandboxed) -> None:
    region = REGION
    arn = f"arn:aws:{{}}:{region}:{ACCOUNT}:{{}}"
    sqs, sns, events = (aws.client(service, region) for service in ("sqs", "sns", "events"))
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("plain", "dead", "topic", "bus")}
    topic = sns.create_topic(Name="topic")["TopicArn"]
    attributes = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn.format("sqs", "topic"), Attributes=attributes)
    events.create_event_bus(Name="mine")
    events.put_rule(Name="all", EventBusName="mine", EventPattern='{"source": ["lambda"]}')
    target = {"Id": "1", "Arn": arn.format("sqs", "bus")}
    events.put_targets(Rule="all", EventBusName="mine", Targets=[target])
    dead = f'dead-letter = "{arn.format("sqs", "dead")}"\nmaximum-retry-attempts = 0\n'
    functions(
        project,
        queue=f'[functions.queue.async]\non-success = "{arn.format("sqs", "plain")}"\n{dead}',
        topic=f'[functions.topic.async]\non-success = "{topic}"\n',
        bus=f'[functions.bus.async]\non-success = "{arn.format("events", "event-bus/mine")}"\n',
    )

    def message(queue: str) -> Any:
        found: list[Any] = []

        def received() -> bool:
            more = sqs.receive_message(QueueUrl=urls[queue], MessageAttributeNames=["All"], WaitTimeSeconds=1)
            found.extend(more.get("Messages", ()))
            return bool(found)

        until(received, f"a message of {queue}")
        return found[0]

    with serve(project, *QUICK, AWS_ENDPOINT_URL=aws.url) as running:
        for name in ("queue", "topic", "bus"):
            running.post({"of": name}, name, **EVENT)
        running.post({"fail": "dead"}, "queue", **EVENT)
        assert json.loads(message("plain")["Body"])["requestPayload"] == {"of": "queue"}
        assert json.loads(message("topic")["Body"])["requestPayload"] == {"of": "topic"}
        envelope = json.loads(message("bus")["Body"])
        assert envelope["detail"]["requestPayload"] == {"of": "bus"}
        assert (envelope["source"], envelope["detail-type"]) == (
            "lambda",
            "Lambda Function Invocation Result - Success",
        )
        letter = message("dead")
        assert json.loads(letter["Body"]) == {"fail": "dead"}
        values = {name: each["StringValue"] for name, each in letter["MessageAttributes"].items()}
        assert (values["ErrorCode"], values["ErrorMessage"]) == ("200", "dead")
        assert values["RequestID"]


def test_a_killed_serve_loses_no_event_and_leaves_nothing(tmp_path: Path) -> None:
    for project in make_project(tmp_path / "project"):
        functions(project, does=f"timeout = 60\n{TO_FILE}")
        with serve(project) as first:
            for number in range(20):
                event = {"wait": number == 0, "print": "it runs", "number": number}
                assert first.post(event, **EVENT).status_code == 202
            first.hears("it runs")
            end(first.process, 9)
        left = project.containers()
        assert left, "those of the killed one"
        with serve(project) as second:
            assert not set(left) & set(project.containers()), "swept"
            second.hears("it runs")
            second.let_go()
            until(partial(told, second, set(range(20))), "all records")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a file system of 24 MB of its own."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        folder.rmdir()
        pytest.skip("only root mounts")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_on_a_full_disk_what_is_accepted_is_kept_and_what_can_not_be_is_refused(
    tmp_path: Path, small_disk: Path
) -> None:
    for project in make_project(tmp_path / "project"):
        functions(project, does=f"reserved-concurrency = 1\ntimeout = 60\n{TO_FILE}")
        shutil.rmtree(project.root / ".lambdaimg", ignore_errors=True)
        (project.root / ".lambdaimg").symlink_to(small_disk)
        with serve(project, "--time-scale", "0.01") as running, ThreadPoolExecutor() as threads:
            busy = threads.submit(running.post, {"wait": True, "print": "it waits"})
            running.hears("it waits")
            accepted = 0
            while (answer := running.post({"number": accepted, "fill": "x" * 900_000}, **EVENT)).status_code == 202:
                accepted += 1
            assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (500, "ServiceException")
            assert "disk is nearly full" in answer.json()["Message"]
            assert accepted
            running.let_go()
            assert busy.result().status_code == 200

            kept = set(range(accepted))
            until(partial(told, running, kept), "its records")
            assert running.post({"number": -1}, **EVENT).status_code == 202, "there is room again"
