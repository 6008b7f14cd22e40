"""The metadata endpoint: what it tells, and to whom."""

import asyncio
import socket

import aiohttp
import pytest

from lambdaimg.model.environment import zone_id
from lambdaimg.runtime.emulator import Settings
from lambdaimg.runtime.environment_api import EnvironmentApi

SETTINGS = Settings(function="f", arn="", memory=128, timeout=3, cpu_quota=0, zone="euw1-az1", metadata_token="secret")
PATH = "/2026-01-15/metadata/execution-environment"


async def ask(method: str, path: str, authorization: str) -> tuple[int, object, str]:
    api = EnvironmentApi(SETTINGS)
    door = socket.create_server(("127.0.0.1", 0))
    await api.serve(door)
    api.allow("")
    headers = {"Authorization": authorization} if authorization else {}
    try:
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{door.getsockname()[1]}") as session,
            session.request(method, path, headers=headers) as answer,
        ):
            body = await answer.json()
            return answer.status, body.get("errorType", body), answer.headers.get("Cache-Control", "")
    finally:
        await api.close()


@pytest.mark.parametrize(
    ("method", "path", "authorization", "answer"),
    [
        ("GET", PATH, "Bearer secret", (200, {"AvailabilityZoneID": "euw1-az1"}, "private, max-age=43200, immutable")),
        ("GET", PATH, "", (401, "Unauthorized", "")),
        ("GET", PATH, "secret", (401, "Unauthorized", "")),
        ("GET", PATH, "Bearer guessed", (401, "Unauthorized", "")),
        ("POST", PATH, "Bearer secret", (405, "MethodNotAllowed", "")),
        ("GET", "/2026-01-15/metadata/other", "Bearer secret", (404, "NotFound", "")),
    ],
)
def test_what_it_answers(method: str, path: str, authorization: str, answer: object) -> None:
    assert asyncio.run(ask(method, path, authorization)) == answer


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("us-east-1", "use1-az1"),
        ("ap-northeast-2", "apne2-az1"),
        ("eu-central-1", "euc1-az1"),
        ("us-gov-west-1", "usgw1-az1"),
        ("ap-southeast-5", "apse5-az1"),
    ],
)
def test_the_id_of_a_regions_first_zone(region: str, zone: str) -> None:
    assert zone_id(region) == zone
