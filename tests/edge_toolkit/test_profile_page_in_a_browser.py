"""The page of a profile in headless Chromium: clicked, typed into, zoomed, on a phone, and with a hostile network."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from edge_toolkit.profile import Profile
from edge_toolkit.profile_page import profile_page
from tests.edge_toolkit.profiles_for_tests import profile_json

webdriver: Any = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (the extra `dev` has it)")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="there is no chromium here (`apt-get install chromium chromium-driver`)"
)

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic", "--disable-dev-shm-usage", "--force-prefers-reduced-motion",
)  # fmt: skip
HOSTILE = '</script ><img src=x onerror="window.ran=1"></script><script>window.ran=2</script><!--<script>'
PEAKS = {"gmac_s": 50.0, "memory_gb_s": 10.0, "cache_gb_s": 100.0}
MINUS, INSIDE = "\N{MINUS SIGN}", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
FOCUSED = "return document.activeElement.getAttribute('aria-label')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Chromium of its own, without motion: what a click does is there when the click returns."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for each in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Opened:
    """A page in the browser, asked in CSS selectors."""

    def __init__(self, browser: Any, made: dict[str, Any], path: Path) -> None:
        self.browser, self.made = browser, made
        path.write_text(profile_page(TypeAdapter(Profile).validate_python(made)), encoding="utf-8")
        self.size(1200)
        browser.get(path.as_uri())

    def size(self, width: int) -> None:
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def all(self, selector: str) -> list[Any]:
        return list(self.browser.find_elements("css selector", selector))

    def one(self, selector: str, text: str = "") -> Any:
        """The first element that the selector finds and that begins with a text."""
        found = [each for each in self.all(selector) if each.get_attribute("textContent").startswith(text)]
        assert found, (selector, text)
        return found[0]

    def texts(self, selector: str) -> list[str]:
        return [each.get_attribute("textContent") for each in self.all(selector)]

    def style(self, selector: str, name: str) -> str:
        return str(self.one(selector).value_of_css_property(name))

    def run(self, script: str) -> Any:
        return self.browser.execute_script(script)

    @property
    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """The profile of `profiles_for_tests`, which a row with a hostile name was added to, beside its LSTM."""
    yield from opened(browser, tmp_path, profile())


def opened(browser: Any, folder: Path, made: dict[str, Any]) -> Iterator[Opened]:
    page = Opened(browser, made, folder / "page.html")
    yield page
    assert page.complaints == []


def profile() -> dict[str, Any]:
    made = profile_json()
    first = {**made["rows"][0], "bytes": 500}
    hostile = {**first, "name": HOSTILE, "role": HOSTILE, "block": "head", "time_us": 0.25, "originals": [HOSTILE]}
    made["rows"] = [first, *made["rows"][1:-2], hostile, *made["rows"][-2:]]
    made["wall_us"] += 0.25
    for each in (made, made["baseline"]):
        each["peaks"] = PEAKS
    return made


def share_of_plot(mark: Any, plot: Any) -> float:
    return float(mark.rect["width"] / plot.rect["width"])


def test_it_opens_without_a_complaint_and_says_how_it_compares(page: Opened) -> None:
    assert page.one("#verdict").text == (
        "Faster: takes 0.232 times as long as knee-lstm (95% interval 0.231 to 0.235), both measured in turn."
    )
    assert page.one("h1").text == "knee"
    assert page.one("#tiles li").text.splitlines()[1] == "0.0180 ms"
    wall = page.one("#compared tr.total").text.split()
    assert wall == ["wall", "25.3", "100.0%", "9.0", "83.0", "100.0%", "4.0", f"{MINUS}57.8"]
    recurrent = page.one("#compared tr", "recurrent").text.split()
    assert recurrent == ["recurrent", "77.0", "92.8%", "1.0", f"{MINUS}77.0"]


def test_a_hostile_name_is_only_a_name(page: Opened) -> None:
    assert page.run("return window.ran") is None
    assert page.all("img") == []
    assert len(page.all("script")) == 3
    assert HOSTILE in page.texts("#rows tbody th")
    assert HOSTILE in page.texts("#roles button")


def test_what_would_slip_through_is_not_run_and_nothing_is_fetched(page: Opened) -> None:
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    for tag, traits in (("script", {"textContent": "ran = 3"}), ("img", {"src": "data:image/gif;base64,R0lGODlh"})):
        page.run(f"document.body.append(Object.assign(document.createElement('{tag}'), {json.dumps(traits)}))")
    assert page.run("return window.ran") is None
    script, image = page.complaints
    assert "Content Security Policy directive 'script-src" in script
    assert "Content Security Policy directive" in image
    assert "default-src 'none'" in image


def test_rows_are_as_wide_as_they_take_long(page: Opened) -> None:
    model, baseline = page.all("#timeline .lane")
    told = page.texts("#timeline .lane-name span")
    assert told == ["25.3 µs in all; 7 rows", f"83.0 µs in all, {MINUS}2.5 of it runtime, which can't be drawn; 2 rows"]
    longest_us = 3 + 77 + 5.5  # the LSTM's rows, less its `runtime`, which is below 0
    for lane, made in ((model, page.made), (baseline, page.made["baseline"])):
        marks = lane.find_elements("css selector", "button")
        for mark, row in zip(marks, made["rows"], strict=True):
            assert share_of_plot(mark, lane) == pytest.approx(max(0, row["time_us"]) / longest_us, abs=2e-3)


def test_a_click_on_a_block_zooms_in_and_one_on_the_top_zooms_out(page: Opened) -> None:
    plot = page.one(".icicle")
    stages = page.one(".icicle button", "stages ")
    conv = page.one(".icicle button", "Depthwise")
    root = page.one(".icicle button", "knee ")
    wide = {"stages": 7.5 / 25.25, "depthwise": 2 / 25.25}  # us of the whole call
    assert share_of_plot(stages, plot) == pytest.approx(wide["stages"], abs=3e-3)
    assert share_of_plot(conv, plot) == pytest.approx(wide["depthwise"], abs=3e-3)
    stages.click()
    assert share_of_plot(stages, plot) == pytest.approx(1, abs=3e-3)
    assert share_of_plot(conv, plot) == pytest.approx(2 / 7.5, abs=3e-3)
    assert not page.one(".icicle button", "stem").is_displayed()
    assert page.one("#icicle p").text == f"knee {INSIDE} stages: 7.5 µs, 30.0%"
    root.click()
    assert share_of_plot(stages, plot) == pytest.approx(wide["stages"], abs=3e-3)
    assert page.one(".icicle button", "stem").is_displayed()


def test_keys_do_what_clicks_do(page: Opened) -> None:
    keys = webdriver.Keys
    page.one(".icicle button", "knee ").send_keys(keys.ARROW_DOWN)
    assert page.run(FOCUSED).startswith("stem, ")
    for key, told in ((keys.ARROW_RIGHT, "stages, "), (keys.ARROW_DOWN, "0, "), (keys.ARROW_UP, "stages, ")):
        page.run("return document.activeElement").send_keys(key)
        assert page.run(FOCUSED).startswith(told)
    page.run("return document.activeElement").send_keys(keys.ENTER)
    assert page.one("#icicle p").text.startswith(f"knee {INSIDE} stages")
    page.run("return document.activeElement").send_keys(keys.ESCAPE)
    assert page.one("#icicle p").text.startswith("knee:")


def test_a_mark_tells_what_it_is(page: Opened) -> None:
    assert not page.one("#told").is_displayed()
    page.one(".lane button", "Conv").click()
    told = page.one("#told").text
    assert told.startswith("stem/Conv")
    for fact in ("3.3 µs", "conv", "1.0 kMACs", "brgconv"):
        assert fact in told
    page.one("h1").click()
    assert not page.one("#told").is_displayed()


def test_the_table_sorts(page: Opened) -> None:
    rows = [row for each in (page.made, page.made["baseline"]) for row in each["rows"]]
    names = [row["name"] for row in rows]
    assert page.texts("#rows tbody th") == names
    time = page.one("#rows thead button", "µs")
    time.click()
    by_time = [row["name"] for row in sorted(rows, key=lambda row: -row["time_us"])]
    assert page.texts("#rows tbody th") == by_time
    assert by_time[0] == "lstm.0/LSTMSequence"
    assert time.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    time.click()
    assert page.texts("#rows tbody th")[0] == "runtime"  # the LSTM's, below 0
    page.one("#rows thead button", "GMAC/s").click()
    rates = {row["name"]: row["macs"] / row["time_us"] for row in rows if row["time_us"] > 0}
    shown = page.texts("#rows tbody th")
    assert shown[0] == HOSTILE  # a quarter of a microsecond
    assert [rates[name] for name in shown[:3]] == sorted(rates.values(), reverse=True)[:3]
    assert shown[-1] == "runtime"  # no time, so no rate


def test_rates_are_those_of_the_profile(page: Opened) -> None:
    value = TypeAdapter(Profile).validate_python(page.made)
    heads = page.texts("#rows thead th")
    line = page.one("#rows tbody tr").find_elements("css selector", "th, td")
    cells = dict(zip(heads, [cell.get_attribute("textContent") for cell in line], strict=True))
    row = value.rows[0]
    assert value.peaks is not None
    assert cells["GMAC/s"] == f"{row.gmac_s:.1f}"
    assert cells["GB/s"] == f"{row.gb_s:.1f}"
    assert cells["of roof"] == f"{row.of_roof(value.peaks):.0%}"


def test_the_table_filters(page: Opened) -> None:
    page.one("#filter").send_keys("LAYOUT")
    assert page.texts("#rows tbody th") == ["stem/Reorder"]
    assert page.one("#found").text == "1 of 13 rows, 0.5 µs"
    page.one("#filter").send_keys(" nothing like it")
    assert page.texts("#rows tbody th") == []


def test_a_role_is_picked_out(page: Opened) -> None:
    page.one("#roles button", "conv").click()
    faded = page.run("return [...document.querySelectorAll('.lane .faded')].map((each) => each.dataset.role)")
    roles = [row["role"] for each in (page.made, page.made["baseline"]) for row in each["rows"]]
    assert faded == [role for role in roles if role != "conv"]
    page.one("#roles button", "conv").click()
    assert page.all(".faded") == []


def test_the_theme_turns(page: Opened) -> None:
    seen = [page.style("body", "background-color")]
    for _ in range(2):
        page.one("#theme").click()
        seen.append(page.style("body", "background-color"))
    light, dark, again = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in seen)
    assert light == again > 600
    assert dark < 150


def test_the_roof_holds_the_rows_that_have_everything(page: Opened) -> None:
    marks = page.all("#chart .mark")
    assert [mark.get_attribute("aria-label") for mark in marks] == [
        "stem/Conv, 2.00 MACs a byte, 0.3 GMAC/s",
        f"{HOSTILE}, 2.00 MACs a byte, 4.0 GMAC/s",
    ]
    large, small = (mark.rect["width"] for mark in marks)
    assert (large / small) ** 2 == pytest.approx(3.25 / 0.25, rel=0.1)
    assert "7 of 9 rows are left out" in page.one("#roofline").text
    assert {"50.0 GMAC/s", "10.0 GB/s from memory", "100.0 GB/s in cache"} <= set(page.texts("#chart .roof-name"))


def test_a_phone_never_scrolls_sideways(page: Opened) -> None:
    page.size(360)
    page.browser.refresh()
    assert page.run("return document.scrollingElement.scrollWidth") <= 360
    assert page.one("#rows").rect["width"] < 360 < page.one("#rows table").rect["width"]


def test_alone_and_without_peaks(browser: Any, tmp_path: Path) -> None:
    made = {**profile_json(), "baseline": None, "comparison": None}
    for page in opened(browser, tmp_path, json.loads(json.dumps(made))):
        assert not page.one("#comparison").is_displayed()
        assert not page.one("#verdict").is_displayed()
        assert "peaks were not measured" in page.one("#roofline").text
        assert not page.one("#chart").is_displayed()
        assert len(page.all(".icicle")) == 1
