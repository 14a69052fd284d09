"""The HTML as a reader sees it: opened from file in headless Chromium."""

import json
import shutil

import pytest

from render import direct
from render.execute import Session
from tests.test_render import FIXTURE, write

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no browser here; on Debian: apt-get install chromium chromium-driver",
)
PAGE = FIXTURE.replace("#| label: fig-line", "#| label: fig-line\n#| echo: true")
VISIBLE = """
const boxes = [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect());
return boxes.map(b => b.width > 0 && b.height > 0 && b.left >= 0 && b.right <= innerWidth);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver

    folder = tmp_path_factory.mktemp("browser")
    session = Session(folder / "cache")
    try:
        page = direct.render(write(folder, PAGE), "html", session, folder)
    finally:
        session.close()
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(page.as_uri())
    yield driver
    driver.quit()


def test_no_console_message_and_no_request_to_a_network(browser):
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requests  # the log works: the file itself is among them
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_mathematics_and_figures_are_visible_within_the_window(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script("return innerWidth") == width
    for what, count in (("math", 2), ("[role=figure] img, [role=figure] svg", 1), ("table", 1)):
        visible = browser.execute_script(VISIBLE, what)
        assert len(visible) >= count
        assert all(visible), what
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    drawn = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert browser.execute_script(drawn)


def test_code_folds_and_unfolds(browser):
    summary = browser.find_element("css selector", "details summary")
    code = browser.find_element("css selector", "details pre")
    before = code.is_displayed()
    summary.click()
    assert code.is_displayed() != before
    summary.click()
    assert code.is_displayed() == before


def test_theme_switch_turns_paper_and_ink_round(browser):
    colours = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    light = browser.execute_script(colours)
    browser.find_element("id", "theme").click()
    dark = browser.execute_script(colours)
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    browser.find_element("id", "theme").click()
    assert browser.execute_script(colours) == light
