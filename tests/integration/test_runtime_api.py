"""The Runtime API as a program in bash sees it: each call, each status, and what the caller gets of it."""

import asyncio
import json
import time

import pytest

from lambdaimg.model.quotas import RESPONSE_BYTES
from tests.integration.lab import Lab

pytestmark = pytest.mark.anyio

UNKNOWN = '400 {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}'
ACCEPTED = '202 {"status":"OK"}'
ANY_ERROR = (
    """-H 'Lambda-Runtime-Function-Error-Type: Shop.Closed' -d '{"errorType": "Shop.Closed", "errorMessage": "x"}'"""
)
CALLS = [
    ("a response", "answer 1", ACCEPTED),
    ("a second response", "answer 1 >/dev/null; answer 2", "403 InvalidStateTransition"),
    ("a response after an error", f"post invocation/$id/error {ANY_ERROR} >/dev/null; answer 2", "403 Invalid"),
    ("an error after a response", f"answer 1 >/dev/null; post invocation/$id/error {ANY_ERROR}", "403 Invalid"),
    ("a response to another request", "id=other answer 1; answer 1 >/dev/null", UNKNOWN),
    ("an error of another request", f"post invocation/other/error {ANY_ERROR}; answer 1 >/dev/null", UNKNOWN),
    (
        "another attempt's response",
        "post invocation/$id/response -H 'Lambda-Runtime-Invocation-Id: other' -d 1; answer 1 >/dev/null",
        "400 InvalidInvocationId",
    ),
    (
        "this attempt's response",
        'post invocation/$id/response -H "Lambda-Runtime-Invocation-Id: $(header Lambda-Runtime-Invocation-Id)" -d 1',
        ACCEPTED,
    ),
    (
        "the next event before the answer",
        "curl -sS -w ' %{http_code}' $api/invocation/next; answer 1 >/dev/null",
        "403",
    ),
    (
        "an init error after the init phase",
        "post init/error -d '{}'; answer 1 >/dev/null",
        "403 InvalidStateTransition",
    ),
    ("an unknown path", "post invocation/$id/answer -d 1; answer 1 >/dev/null", "404"),
    (
        "an unknown version",
        "api=${api/2018/2017}; post invocation/$id/response -d 1; api=${api/2017/2018}; answer 1 >/dev/null",
        "404",
    ),
    ("another method", "post invocation/next -d 1; answer 1 >/dev/null", "404"),
]


async def test_each_call_and_its_status(lab: Lab) -> None:
    """One environment: each invocation makes one call, which its event names, and then goes on."""
    branches = "\n".join(f"{number}) {call};;" for number, (_, call, _) in enumerate(CALLS))
    story = f'while next; do case "$event" in\n{branches}\nesac; echo; done'
    async with lab.stage("bash", {"STORY": story}) as stage:
        for number, (what, _, said) in enumerate(CALLS):
            answer = await stage.invoke(number)
            status, word = [*said.split(maxsplit=1), ""][:2]
            (line,) = answer.log
            assert status in line, (what, line)
            assert word in line, (what, line)
            if what == "a response after an error":
                assert answer.error == ("Shop.Closed", "x")
                assert answer.report.endswith("\tStatus: error\tError Type: Shop.Closed")
            else:
                assert answer.payload == 1, what
        assert stage.lines.count("START") == 0


async def test_what_comes_with_an_event(lab: Lab) -> None:
    shown = """printf '"%s"' "$(sed -n 's/^Lambda-Runtime-//p' /tmp/headers | tr -d '\\r"' | tr '\\n' ';')\""""
    story = f'while next; do answer "$({shown})"; done'
    async with lab.stage("bash", {"STORY": story}) as stage:
        plain = headers((await stage.invoke()).payload)
        now = time.time() * 1000
        assert set(plain) == {"Aws-Request-Id", "Deadline-Ms", "Invoked-Function-Arn", "Trace-Id", "Invocation-Id"}
        assert 0 < int(plain["Deadline-Ms"]) - now < 10_000
        assert plain["Invoked-Function-Arn"] == lab.project.arn(lab.function("bash"))
        assert plain["Trace-Id"].startswith("Root=1-")
        full = await stage.invoke(
            request_id="request",
            trace_id="Root=1-0-0",
            client_context='{"custom":\n{}}',
            cognito_identity="{}",
            tenant_id="blue",
        )
        found = headers(full.payload)
        assert {name: found[name] for name in found if name not in ("Deadline-Ms", "Invocation-Id")} == {
            "Aws-Request-Id": "request",
            "Invoked-Function-Arn": plain["Invoked-Function-Arn"],
            "Trace-Id": "Root=1-0-0",
            "Client-Context": "{custom: {}}",
            "Cognito-Identity": "{}",
            "Aws-Tenant-Id": "blue",
        }


def headers(payload: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in payload.split(";") if ": " in line)


ENDS = [
    ("post invocation/$id/response --data-binary @/tmp/large", "Function.ResponseSizeTooLarge"),
    (
        "post invocation/$id/response --data-binary @/tmp/large -H 'Transfer-Encoding: chunked'",
        "Function.ResponseSizeTooLarge",
    ),
    ("broken 'Content-Length: 100' 'only this'", "Runtime.TruncatedResponse"),
    ("broken 'Transfer-Encoding: chunked' $'20\\r\\nonly this'", "Runtime.TruncatedResponse"),
    ("broken 'Transfer-Encoding: chunked' $'no chunk\\r\\n'", "Runtime.TruncatedResponse"),
]
BROKEN = """
broken() {  # A response whose connection ends before it is whole: a header, and the beginning of a body.
  exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: x\\r\\n%s\\r\\n\\r\\n' "$id" "$1" >&3
  sleep 0.1
  printf %s "$2" >&3
  exec 3>&-
}
"""


@pytest.mark.parametrize(("call", "error_type"), ENDS)
async def test_a_response_that_does_not_come_whole(lab: Lab, call: str, error_type: str) -> None:
    story = f"head -c {RESPONSE_BYTES + 1} /dev/zero >/tmp/large; {BROKEN}\nnext; {call}; sleep 60"
    async with lab.stage("bash", {"STORY": story}) as stage:
        begun = time.monotonic()
        answer = await stage.invoke()
        assert answer.error[0] == error_type
        assert time.monotonic() - begun < 9, "long before the function's timeout"


async def test_an_init_error_is_what_the_caller_gets(lab: Lab) -> None:
    story = f"echo the init phase prints; post init/error {ANY_ERROR}; exit 1"
    async with lab.stage("bash", {"STORY": story}) as stage:
        assert stage.lines[0] == "the init phase prints"
        assert stage.lines[-1].endswith("\tPhase: init\tStatus: error\tError Type: Shop.Closed")
        assert (await stage.invoke()).error == ("Shop.Closed", "x")


async def test_a_large_event_and_a_large_response_are_whole(lab: Lab) -> None:
    event = "x" * (RESPONSE_BYTES - 2)
    story = 'while next; do printf "%s" "$event" >/tmp/event; answer @/tmp/event; done'
    async with lab.stage("bash", {"STORY": story}, memory=512) as stage:
        assert (await stage.invoke(event)).payload == event


async def test_an_event_that_is_never_read(lab: Lab) -> None:
    """The runtime asks for an event of 6 MB, and reads none of it: the timeout ends it all the same."""
    ask = r"printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n' >&3"
    story = f'exec 3<>"/dev/tcp/${{AWS_LAMBDA_RUNTIME_API/://}}"; {ask}; sleep 60'
    async with lab.stage("bash", {"STORY": story}, timeout=1) as stage:
        assert (await stage.invoke("x" * 6_000_000)).error[0] == "Sandbox.Timedout"


async def test_a_runtime_that_asks_anew_gets_the_event(lab: Lab) -> None:
    story = 'curl -m 0.3 $api/invocation/next; while next; do answer "$event"; done'
    async with lab.stage("bash", {"STORY": story}) as stage:
        while not any("timed out" in line for line in stage.lines):
            await asyncio.sleep(0.01)
        assert (await stage.invoke("event")).payload == "event"


async def test_another_container_is_refused(lab: Lab) -> None:
    """Two environments of one machine: the second calls the Runtime API of the first."""
    async with lab.stage("bash", {"STORY": "echo $AWS_LAMBDA_RUNTIME_API; next; answer 1; next"}) as first:
        others = f'api="${{api/$AWS_LAMBDA_RUNTIME_API/{first.lines[0]}}}"'
        story = f'{others}; post init/error -d {{}}; echo; next; echo "$event"'
        async with lab.stage("bash", {"STORY": story}) as second:
            assert second.lines[0].startswith("403 ")
            assert json.loads(second.lines[1])["errorType"] == "Forbidden"
        assert (await first.invoke()).payload == 1
