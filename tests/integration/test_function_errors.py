"""Every way in which a function can fail, in Python and Node.js: Lambda's error, and a fresh runtime with /tmp kept."""

import json
import re
import signal

import pytest

from lambdaimg.model.invocation import Request
from lambdaimg.model.quotas import RESPONSE_BYTES
from lambdaimg.runtime.emulator import Kind
from tests.integration.lab import Lab, Stage

pytestmark = pytest.mark.anyio
LANGUAGES = ["python", "nodejs"]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def survives(stage: Stage) -> None:
    """The next invocation begins in a fresh runtime, which finds the files of the one before."""
    found = (await stage.do("count")).payload
    assert found["invocations"] == 1, "a fresh runtime"
    assert "kept" in found["tmp"]


ENDS = [
    ("leave", 0, "Runtime.ExitError", "Runtime exited without providing a reason"),
    ("leave", 7, "Runtime.ExitError", "Runtime exited with error: exit status 7"),
    ("die", signal.SIGKILL, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
    ("die", signal.SIGABRT, "Runtime.ExitError", "Runtime exited with error: signal: aborted"),
    ("die", signal.SIGSEGV, "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
    ("die", signal.SIGTERM, "Runtime.ExitError", "Runtime exited with error: signal: terminated"),
    ("wait", 60, "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
]


async def test_an_end_without_an_answer(lab: Lab, language: str) -> None:
    async with lab.stage(language, timeout=3) as stage:
        for deed, what, error_type, message in ENDS:
            await stage.do("count", "kept")
            answer = await stage.do(deed, what)
            request = stage.happenings[-1].request_id
            assert answer.error == (error_type, f"RequestId: {request} Error: {message}"), deed
            assert set(answer.payload) == {"errorType", "errorMessage"}
            assert stage.happenings[-1].kind is Kind.FAILED
            status = "timeout" if deed == "wait" else f"error\tError Type: {error_type}"
            assert answer.report.endswith(f"\tStatus: {status}"), answer.report
            if deed in ("leave", "die", "wait"):
                assert answer.log[-1].endswith("it waits" if deed == "wait" else "a last line")
            await survives(stage)


@pytest.mark.parametrize(
    ("files", "hint"),
    [(0, "0 MB of them by files in /tmp"), (60, "[56][0-9] MB of them by files in /tmp: `tmp-on-disk = true`")],
)
async def test_out_of_memory_is_told_apart(lab: Lab, language: str, files: int, hint: str) -> None:
    async with lab.stage(language, memory=128) as stage:
        await stage.do("count", "kept")
        answer = await stage.do("hoard", {"memory": 200, "files": files})
        assert answer.error[0] == "Runtime.OutOfMemory"
        assert answer.error[1].endswith("Error: Runtime exited with error: signal: killed")
        assert re.search(f"lambdaimg: out of memory: all 128 MB were used, {hint}", "\n".join(answer.log)), answer.log
        assert "\tMax Memory Used: " in answer.report
        await survives(stage)


UNCAUGHT = {
    "python": ("ValueError", {"errorMessage", "errorType", "requestId", "stackTrace"}, "stackTrace"),
    "nodejs": ("RangeError", {"errorMessage", "errorType", "trace"}, "trace"),
}
NO_JSON = {"python": "Runtime.UnmarshalError", "nodejs": "Runtime.ExitError"}
NOT_JSON = {"python": "Runtime.MarshalError", "nodejs": "Runtime.JSONStringifyError"}


async def test_an_uncaught_exception_is_an_answer_of_the_same_runtime(lab: Lab, language: str) -> None:
    error_type, keys, trace = UNCAUGHT[language]
    async with lab.stage(language) as stage:
        await stage.do("count", "kept")
        answer = await stage.do("fail")
        assert answer.error == (error_type, "no such order")
        assert set(answer.payload) == keys
        assert isinstance(answer.payload[trace], list)
        assert answer.report.endswith("\tStatus: error")
        assert (await stage.do("unspeakable")).error[0] == NOT_JSON[language]
        found = (await stage.do("count")).payload
        assert found["invocations"] == 4, "the runtime goes on"


async def test_an_event_that_is_no_json(lab: Lab, language: str) -> None:
    """Lambda's API lets none through. Node.js's client ends of it, Python's goes on."""
    async with lab.stage(language) as stage:
        payload = json.loads((await stage.environment.invoke(Request(event=b"{"))).payload)
        assert payload["errorType"] == NO_JSON[language]
        assert (await stage.do("count")).payload["invocations"] == 1


async def test_a_promise_that_nothing_will_keep(lab: Lab) -> None:
    """Node.js ends; its client of version 4 says nothing of it, where Lambda's own runtime has Runtime.NodejsExit."""
    async with lab.stage("nodejs") as stage:
        await stage.do("count", "kept")
        error_type, message = (await stage.do("promise")).error
        assert (error_type, message.partition(" Error: ")[2]) == (
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        )
        await survives(stage)


async def test_the_largest_response_and_one_byte_more(lab: Lab, language: str) -> None:
    async with lab.stage(language) as stage:
        assert len((await stage.do("large", RESPONSE_BYTES)).payload) == RESPONSE_BYTES - 2
        await stage.do("count", "kept")
        answer = await stage.do("large", RESPONSE_BYTES + 1)
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
        assert answer.payload == {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        await survives(stage)


NOT_THERE = [
    ("python", "gone.handler", "Runtime.ImportModuleError"),
    ("python", "app.nothing", "Runtime.HandlerNotFound"),
    ("python", "app", "Runtime.MalformedHandlerName"),
    ("python", "sys.handler", "Runtime.BuiltInModuleConflict"),
    ("nodejs", "gone.handler", "Runtime.ImportModuleError"),
    ("nodejs", "index.nothing", "Runtime.HandlerNotFound"),
    ("nodejs", "index", "Runtime.MalformedHandlerName"),
    ("nodejs", "broken.handler", "Runtime.UserCodeSyntaxError"),
]


@pytest.mark.parametrize(("language", "handler", "error_type"), NOT_THERE)
async def test_a_handler_that_is_not_there(lab: Lab, language: str, handler: str, error_type: str) -> None:
    async with lab.stage(language, command=(handler,)) as stage:
        answer = await stage.do("echo")
        assert answer.error[0] == error_type
        assert "\tMax Memory Used: " in answer.report
