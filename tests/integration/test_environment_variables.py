"""What a function finds in its environment and its context: each row of Lambda's list, in Python, Node.js and bash."""

import json
import time

import pytest

from tests.integration.lab import Lab, Stage

pytestmark = pytest.mark.anyio
RUNTIMES = ["python", "nodejs", "bash"]
TELL = """while next; do
  printf '{' >/tmp/told
  for name in $(compgen -e | grep -v STORY); do
    printf '"%s": "%s",' "$name" "${!name}" >>/tmp/told
  done
  printf '"": ""}' >>/tmp/told
  answer @/tmp/told
done"""


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def variables(stage: Stage) -> dict[str, str]:
    found: dict[str, str] = (await stage.do("variables")).payload
    return found


def story(runtime: str) -> dict[str, str]:
    return {"STORY": TELL} if runtime == "bash" else {}


async def test_each_variable_that_lambda_sets(lab: Lab, runtime: str) -> None:
    async with lab.stage(runtime, story(runtime), memory=512) as stage:
        found = await variables(stage)
        id = stage.environment.id
    today = time.strftime("%Y/%m/%d", time.gmtime())
    expected = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": runtime,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{runtime}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[$LATEST]{id}",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_SESSION_TOKEN": "none",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "TZ": ":UTC",
        "_HANDLER": {"python": "app.handler", "nodejs": "index.handler", "bash": "function.handler"}[runtime],
    }
    assert {name: found.get(name) for name in expected} == expected
    assert ":" in found["AWS_LAMBDA_RUNTIME_API"]
    assert found["AWS_LAMBDA_METADATA_API"] == found["AWS_LAMBDA_RUNTIME_API"], "as on Lambda"
    assert len(found["AWS_LAMBDA_METADATA_TOKEN"]) > 20
    absent = {"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_TIMEOUT", "AWS_LAMBDA_MAX_CONCURRENCY"}
    assert not absent & found.keys(), "an image's, the RIE's, and Managed Instances' alone"


@pytest.mark.parametrize("name", ["TZ", "LANG", "MY_OWN"])
async def test_a_variable_of_the_function_goes_before(lab: Lab, name: str) -> None:
    async with lab.stage("python", {name: "of the function"}) as stage:
        assert (await variables(stage))[name] == "of the function"


async def test_nothing_of_this_process_is_passed_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    async with lab.stage("python") as stage:
        assert "SECRET_OF_THE_HOST" not in await variables(stage)


@pytest.mark.parametrize("language", ["python", "nodejs"])
async def test_a_function_learns_where_it_is(lab: Lab, language: str) -> None:
    async with lab.stage(language) as stage:
        assert (await stage.do("place")).payload == {"AvailabilityZoneID": "use1-az1"}


@pytest.mark.parametrize("language", ["python", "nodejs"])
async def test_each_field_of_the_context(lab: Lab, language: str) -> None:
    identity = json.dumps({"cognitoIdentityId": "us-east-1:1", "cognitoIdentityPoolId": "us-east-1:2"})
    context = json.dumps({"custom": {"a": "b"}, "client": {}, "env": {}}, indent=1)
    async with lab.stage(language) as stage:
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        answer = await stage.do(
            "seen",
            request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            trace_id=trace,
            client_context=context,
            cognito_identity=identity,
            tenant_id="blue",
        )
        plain = await stage.do("seen")
        id = stage.environment.id
    found = answer.payload
    remaining = found.pop("remaining")
    assert 0 < remaining <= 10_000
    assert found.pop("stream").endswith(id)
    assert found == {
        "request": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        "arn": lab.project.arn(lab.function(language)),
        "name": language,
        "version": "$LATEST",
        "memory": 256,
        "group": f"/aws/lambda/{language}",
        "trace": trace,
        "custom": {"a": "b"},
        "identity": "us-east-1:1",
        "tenant": "blue",
    }
    assert plain.payload["trace"] != trace
    assert (plain.payload["custom"], plain.payload["identity"], plain.payload["tenant"]) == (None, None, None)
