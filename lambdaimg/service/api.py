"""Lambda's HTTP API for `serve`: boto3 and the AWS CLI reach it through `--endpoint-url` (service model 2015-03-31)."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from lambdaimg.model import quotas
from lambdaimg.model.errors import LambdaimgError
from lambdaimg.model.invocation import Request
from lambdaimg.service import invocations, wire
from lambdaimg.service.asynchronous import AsynchronousQueue
from lambdaimg.service.configuration import configuration, function_output
from lambdaimg.service.endpoint import STREAMING_PATH
from lambdaimg.service.local_lambda import LocalLambda, Served
from lambdaimg.service.metrics import CONTENT_TYPE
from lambdaimg.service.names import find
from lambdaimg.service.wire import ApiError, as_json, invalid

_FUNCTIONS: Final = "/2015-03-31/functions"
_PAGE: Final = 50
"""Functions that ListFunctions shows at once, where the caller doesn't say."""
_UNRESERVED_AT_LEAST: Final = 100
"""Concurrency that must stay without a reservation (Developer Guide, "Configuring reserved concurrency")."""


class Api:
    """The routes. The event queue takes what is invoked asynchronously."""

    def __init__(self, functions: LocalLambda, queue: AsynchronousQueue) -> None:
        self._functions = functions
        self._queue = queue

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"{_FUNCTIONS}/{{name}}/invocations", self._invoke)
        router.add_post("/2014-11-13/functions/{name}/invoke-async", self._invoke_async)
        router.add_post(STREAMING_PATH, self._stream)
        router.add_get(_FUNCTIONS, self._list)
        router.add_get(f"{_FUNCTIONS}/", self._list)
        router.add_get(f"{_FUNCTIONS}/{{name}}", self._get)
        router.add_get(f"{_FUNCTIONS}/{{name}}/configuration", self._get_configuration)
        router.add_put("/2017-10-31/functions/{name}/concurrency", self._put_concurrency)
        router.add_delete("/2017-10-31/functions/{name}/concurrency", self._delete_concurrency)
        router.add_get("/2019-09-30/functions/{name}/concurrency", self._get_concurrency)
        router.add_get("/2016-08-19/account-settings", self._account)
        router.add_get("/2016-08-19/account-settings/", self._account)
        router.add_get("/healthz", self._health)
        router.add_get("/metrics", self._metrics)

    def _find(self, request: web.Request) -> Served:
        function = find(self._functions.project, request.match_info["name"], request.query.get("Qualifier"))
        return self._functions.served[function.name]

    # Invocations

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        served = self._find(request)
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        match kind:
            case "RequestResponse":
                return await invocations.answer(served.invoke, await wire.wanted(request))
            case "Event":
                return await self._accept(served, await wire.wanted(request, quotas.ASYNCHRONOUS_PAYLOAD_BYTES))
            case "DryRun":
                return _dry_run()
        raise invalid(kind, "invocationType", "satisfy enum value set: [RequestResponse, Event, DryRun]")

    async def _invoke_async(self, request: web.Request) -> web.Response:
        """InvokeAsync, which the invocation type `Event` has superseded."""
        return await self._accept(self._find(request), await wire.wanted(request, quotas.ASYNCHRONOUS_PAYLOAD_BYTES))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        served = self._find(request)
        if request.headers.get("X-Amz-Invocation-Type") == "DryRun":
            return _dry_run()
        return await invocations.stream(served.invoke, await wire.wanted(request), request)

    async def _accept(self, served: Served, asked: Request) -> web.Response:
        """202 once the event is on disk."""
        try:
            await self._queue.put(served.function.name, asked)
        except OSError as error:
            raise wire.failed(f"the event can't be kept: {error}") from None
        return web.Response(status=202, headers={"x-amzn-RequestId": asked.request_id})

    # Functions

    async def _list(self, request: web.Request) -> web.Response:
        functions = [served.function for served in self._functions.served.values()]
        shown = [configuration(self._functions.project, each, self._functions.image(each)) for each in functions]
        most = _whole_number(request.query.get("MaxItems", str(_PAGE)), "MaxItems", least=1)
        first = _whole_number(request.query.get("Marker", "0"), "Marker")
        rest = {"NextMarker": str(first + most)} if first + most < len(shown) else {}
        return as_json({"Functions": shown[first : first + most], **rest})

    async def _get(self, request: web.Request) -> web.Response:
        function = self._find(request).function
        reserved = self._functions.admission.reserved(function.name)
        image = self._functions.image(function)
        return as_json(function_output(self._functions.project, function, image, reserved))

    async def _get_configuration(self, request: web.Request) -> web.Response:
        function = self._find(request).function
        return as_json(configuration(self._functions.project, function, self._functions.image(function)))

    # Concurrency

    async def _put_concurrency(self, request: web.Request) -> web.Response:
        name, admission = self._find(request).function.name, self._functions.admission
        reserved = await _number(request, "ReservedConcurrentExecutions")
        left = admission.unreserved() + (admission.reserved(name) or 0) - reserved
        if reserved and left < min(_UNRESERVED_AT_LEAST, admission.account):
            message = (
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{_UNRESERVED_AT_LEAST}]."
            )
            raise ApiError(400, "InvalidParameterValueException", message)
        admission.reserve(name, reserved)
        return as_json({"ReservedConcurrentExecutions": reserved})

    async def _delete_concurrency(self, request: web.Request) -> web.Response:
        self._functions.admission.reserve(self._find(request).function.name, None)
        return web.Response(status=204)

    async def _get_concurrency(self, request: web.Request) -> web.Response:
        reserved = self._functions.admission.reserved(self._find(request).function.name)
        return as_json({} if reserved is None else {"ReservedConcurrentExecutions": reserved})

    async def _account(self, request: web.Request) -> web.Response:
        admission = self._functions.admission
        limit = {
            "ConcurrentExecutions": admission.account,
            "UnreservedConcurrentExecutions": admission.unreserved(),
        }
        return as_json({"AccountLimit": limit, "AccountUsage": {"FunctionCount": len(self._functions.served)}})

    async def _health(self, request: web.Request) -> web.Response:
        return as_json({"status": "ok"})

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._functions.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _dry_run() -> web.Response:
    return web.Response(status=204, headers={"x-amzn-RequestId": str(uuid.uuid4())})


async def _number(request: web.Request, key: str) -> int:
    """A whole number, not below 0, of the request's JSON body. Raises ApiError."""
    try:
        body: Any = await request.json()
        number = body[key]
    except (ValueError, KeyError, TypeError):
        raise ApiError(400, "InvalidRequestContentException", f"the body must have {key}") from None
    return _whole_number(number if type(number) is int else repr(number), key)


def _whole_number(value: int | str, where: str, least: int = 0) -> int:
    """Raises ApiError."""
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise invalid(value, where, f"have value greater than or equal to {least}")
    return number


@web.middleware
async def engine_errors(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """What the engine refuses outside an invocation."""
    try:
        return await handler(request)
    except LambdaimgError as error:
        return wire.failed(error.what).response()
