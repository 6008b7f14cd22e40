"""How the two emulators differ: the rows of docs/rie-differences.md, which test_rie_differences.py holds."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What Lambda, lambdaimg and the RIE do with the same event."""

    what: str
    on_lambda: str
    lambdaimg: str
    rie: str


DIFFERENCES: Final = (
    Difference(
        what="init phase",
        on_lambda="when the environment is made, within 10 s",
        lambdaimg="the same",
        rie="with the first invocation, inside its timeout",
    ),
    Difference(
        what="init phase that fails",
        on_lambda="runs again within the first invocation, whose error is the function's",
        lambdaimg="the same",
        rie="runs once, within the first invocation; 502",
    ),
    Difference(
        what="`Init Duration`",
        on_lambda="measured",
        lambdaimg="measured",
        rie="made up; lambdaimg's REPORT line has the real one",
    ),
    Difference(
        what="`Max Memory Used`",
        on_lambda="measured",
        lambdaimg="measured",
        rie="the memory that it may use; lambdaimg's REPORT line measures it itself",
    ),
    Difference(
        what="a handler's error",
        on_lambda="200, `X-Amz-Function-Error: Unhandled`",
        lambdaimg="the same",
        rie="200, no header; lambdaimg's endpoint adds it",
    ),
    Difference(
        what="a timeout",
        on_lambda="`Sandbox.Timedout`, in JSON",
        lambdaimg="the same",
        rie="200 with a line of text; lambdaimg's endpoint makes it Lambda's JSON",
    ),
    Difference(
        what="out of memory",
        on_lambda="`Runtime.OutOfMemory`",
        lambdaimg="the same",
        rie="`Runtime.ExitError`: a signal like any other",
    ),
    Difference(
        what="a response over 6 MB",
        on_lambda="`Function.ResponseSizeTooLarge`",
        lambdaimg="the same",
        rie="the same",
    ),
    Difference(
        what="request id",
        on_lambda="the caller's answer and the runtime have one",
        lambdaimg="the same",
        rie="the runtime's alone; lambdaimg's endpoint adds it to the answer",
    ),
    Difference(
        what="ARN",
        on_lambda="the function's Region and account",
        lambdaimg="the project's Region, account 123456789012",
        rie="`us-east-1`, 012345678912",
    ),
    Difference(what="trace id", on_lambda="reaches the runtime", lambdaimg="the same", rie="does not"),
    Difference(what="client context", on_lambda="reaches the function", lambdaimg="the same", rie="the same"),
    Difference(
        what="`_HANDLER`, `AWS_LAMBDA_INITIALIZATION_TYPE`, `LAMBDA_RUNTIME_DIR`",
        on_lambda="set",
        lambdaimg="set",
        rie="the handler alone",
    ),
    Difference(
        what="log stream",
        on_lambda="one for each environment",
        lambdaimg="one for each environment",
        rie="`local`",
    ),
    Difference(
        what="X-Ray's variables",
        on_lambda="set",
        lambdaimg="set",
        rie="none",
    ),
    Difference(
        what="log format JSON",
        on_lambda="`platform.start` and `platform.report` instead of START and REPORT",
        lambdaimg="the same",
        rie="the variables for the runtime alone",
    ),
    Difference(
        what="extensions",
        on_lambda="start in the init phase",
        lambdaimg="the same",
        rie="start with the first invocation",
    ),
    Difference(
        what="Telemetry and Logs API",
        on_lambda="200, and deliver",
        lambdaimg="the same",
        rie="202, and deliver nothing",
    ),
    Difference(
        what="streamed responses",
        on_lambda="piece by piece, by InvokeWithResponseStream",
        lambdaimg="the same",
        rie="404; a response comes as one piece",
    ),
    Difference(
        what="two requests at once",
        on_lambda="two environments",
        lambdaimg="the second waits, or gets 429",
        rie="it crashes, so lambdaimg never sends the second",
    ),
)
