"""`serve` is watched: metrics as Prometheus reads them, and the console in a browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.conftest import make_project
from tests.integration.serve_fixtures import Serve, functions, serve, until

EVENT = {"X-Amz-Invocation-Type": "Event"}
MARKUP = "<img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    for project in make_project(tmp_path_factory.mktemp("console") / "project"):
        nowhere = 'on-failure = "http://127.0.0.1:1/"\nmaximum-retry-attempts = 0\n'
        functions(
            project,
            does=f"provisioned-concurrency = 1\n[functions.does.async]\n{nowhere}",
            none="reserved-concurrency = 0\n",
        )
        with serve(project, "--time-scale", "0.001") as running:
            yield running


def samples(served: Serve) -> dict[tuple[str, str], float]:
    """The samples by their name and function, without the buckets."""
    answer = requests.get(f"{served.url}/metrics", timeout=60)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    found = (sample for family in families for sample in family.samples if "le" not in sample.labels)
    return {(sample.name, sample.labels["FunctionName"]): sample.value for sample in found}


def test_metrics_have_cloudwatchs_names_and_add_up(served: Serve) -> None:
    before = samples(served)
    assert before["ProvisionedConcurrencyUtilization", "does"] == before["ConcurrentExecutions", "does"] == 0
    served.post({})
    served.post({"fail": "no"})
    served.post({}, "none")
    served.post({"fail": "no"}, **EVENT)
    until(lambda: samples(served)["DestinationDeliveryFailures_total", "does"] == 1, "a failed delivery")
    after = samples(served)
    gained = {key: value - before[key] for key, value in after.items() if value != before[key]}
    gained = {key: value for key, value in gained.items() if not key[0].endswith(("_sum", "_created"))}
    assert gained == {
        ("Invocations_total", "does"): 3,
        ("Errors_total", "does"): 2,
        ("Duration_count", "does"): 3,
        ("MaxMemoryUsed_count", "does"): 3,
        ("Throttles_total", "none"): 1,
        ("AsyncEventsReceived_total", "does"): 1,
        ("AsyncEventAge_count", "does"): 1,
        ("AsyncEventsDropped_total", "does"): 1,
        ("DestinationDeliveryFailures_total", "does"): 1,
    }
    assert after["InitDuration_count", "does"] == 1
    assert after["InitDuration_sum", "does"] > 0
    assert ("ProvisionedConcurrencyUtilization", "none") not in after


@pytest.fixture
def page(served: Serve) -> Iterator[Page]:
    browser_program = shutil.which("chromium")
    if browser_program is None:
        pytest.skip("there is no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 1000})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Policy" in said.text else None)
        page.goto(served.url)
        yield page
        browser.close()
        assert problems == []


@pytest.mark.slow
def test_the_console_shows_what_happens(served: Serve, page: Page, tmp_path: Path) -> None:
    expect(page.locator("#connection")).to_have_text("connected")
    expect(page.locator("#functions td.name")).to_have_text(["does", "none"])
    page.locator("#event").fill('{"print": "' + MARKUP + '", "a": 1}')
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator("#status")).to_contain_text("200 · ")
    expect(page.locator("#answer")).to_contain_text('"a": 1')
    expect(page.locator("#log")).to_contain_text(MARKUP)
    expect(page.locator("#timeline rect.invoke").first).to_be_visible()
    expect(page.locator('[data-function="does"][data-figure="environments"]')).to_have_text("1")
    page.locator("#event").fill('{"fail": "no"}')
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator("#status")).to_contain_text("Unhandled")
    expect(page.locator("#timeline rect.failed").first).to_be_visible()
    page.locator("#function").select_option("none")
    page.get_by_role("button", name="Invoke").click()
    expect(page.locator("#status")).to_contain_text("429 · TooManyRequestsException")
    page.locator("#sample").select_option("sqs")
    expect(page.locator("#event")).to_have_value(re.compile('"Records"'))
    page.locator("#log-of").select_option("none")
    expect(page.locator("#log li:visible")).to_have_count(0)
    assert page.title().endswith("lambdaimg serve"), "what a function says is never markup"
    for width in (1360, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.screenshot(path=str(tmp_path / f"{width}.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing beyond the edge"


@pytest.mark.parametrize("path", ["/", "/console/console.js", "/console/console.css", "/console/functions"])
def test_the_page_loads_nothing_from_elsewhere_and_may_run_nothing_else(served: Serve, path: str) -> None:
    answer = requests.get(served.url + path, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "https://" not in answer.text


@pytest.mark.parametrize("path", ["/console/console.py", "/console/..%2Fapi.py", "/console/samples/none"])
def test_nothing_else_is_served(served: Serve, path: str) -> None:
    assert requests.get(served.url + path, timeout=60).status_code == 404
