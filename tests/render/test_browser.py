"""The HTML of either route as a reader sees it: opened from file in headless Chromium."""

import json
import re
import shutil
import subprocess

import pytest

from render import direct
from tests.render.conftest import FIXTURE, NEEDS_QUARTO, by_quarto, for_quarto, write

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no browser here; on Debian: apt-get install chromium chromium-driver",
)
SUM = " + ".join(f"a_{{{i}}} b_{{{i}}}" for i in range(20))
WIDE = rf"""
$$
\begin{{aligned}}
\hat{{R}} &= {SUM} \\
&= \frac{{1}}{{2}} .
\end{{aligned}}
$$

::: {{.result}}
A formula within a line: ${SUM}$.
:::

| {" | ".join(f"column {i}" for i in range(12))} |
{"|---" * 12}|
| {" | ".join("1.234" for _ in range(12))} |

: Wide. {{#tbl-wide}}
"""
PAGE = FIXTURE.replace("#| label: fig-line", "#| label: fig-line\n#| echo: true") + WIDE
# Of the elements that match, those that are not drawn, or not within the window and no
# ancestor of theirs (the page excepted) scrolls.
HIDDEN = """
const scrolls = e => e !== document.body
  && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
return [...document.querySelectorAll(arguments[0])].filter(e => {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const within = box.left >= 0 && box.right <= innerWidth || scrolls(e);
  return !(box.width > 0 && box.height > 0 && within && style.visibility === "visible");
}).map(e => e.outerHTML.slice(0, 100));
"""
# The contrast of an element's colour with the ground that it stands on, as WCAG 2 defines it.
CONTRAST = """
const channels = colour => colour.match(/[\\d.]+/g).map(Number);
const ground = e => {
  const colour = getComputedStyle(e).backgroundColor;
  return channels(colour)[3] === 0 ? ground(e.parentElement) : colour;
};
const light = colour => channels(colour).slice(0, 3).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0.05);
const element = document.querySelector(arguments[0]);
const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
return Math.max(a, b) / Math.min(a, b);
"""
# The number of each equation, and where it ends.
NUMBERS = """
return [...document.querySelectorAll(".equation")].map(e => {
  const range = document.createRange();
  range.selectNodeContents(e.lastChild);
  return [range.toString(), range.getBoundingClientRect().right];
});
"""


@pytest.fixture(scope="module", params=["direct", pytest.param("quarto", marks=NEEDS_QUARTO)])
def page(request, tmp_path_factory, session):
    folder = tmp_path_factory.mktemp("browser")
    git = ["git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run([*git, "commit", "-qm", "A day", "--allow-empty"], check=True)
    if request.param == "quarto":
        for_quarto(folder, PAGE)
        return by_quarto(folder, "html")
    return direct.render(write(folder, PAGE), "html", session, folder)


@pytest.fixture(scope="module")
def browser(page):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    system(driver, "light")
    driver.get(page.as_uri())
    yield driver
    driver.quit()


@pytest.fixture(params=[1280, 390])
def width(request, browser):
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script("return innerWidth") == request.param
    return request.param


def system(browser, theme):
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def switch(browser):
    browser.execute_script("document.querySelector('.quarto-color-scheme-toggle').click()")


def test_no_console_message_and_no_request_to_a_network(browser, page):
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requests  # the log works: the file itself is among them
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    loads = r"<(?:script|img|link|iframe)[^>]*(?:src|href)=.?https?:|url\(.?https?:|@import"
    assert re.findall(loads, page.read_text()) == []


def test_mathematics_figures_and_tables_are_visible_within_the_window(browser, width):
    for what, count in (("math", 4), ("img", 1), ("table", 2), ("pre", 1), (".equation", 2)):
        assert browser.execute_script(f"return document.querySelectorAll('{what}').length") >= count
        shown = f"main {what}" if what != "pre" else "main pre:not(details pre)"
        assert browser.execute_script(HIDDEN, shown) == []
    drawn = "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert browser.execute_script(drawn)


def test_what_is_wider_than_the_window_scrolls_by_itself(browser, width):
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    for what in ("math[display=block]", ".result p", "#tbl-wide table"):
        elements = browser.find_elements("css selector", what)
        assert any(e.get_property("scrollWidth") > e.get_property("clientWidth") for e in elements)


def test_number_of_an_equation_stands_at_the_right_margin(browser, width):
    text = browser.find_element("id", "fig-line").rect
    margin = pytest.approx(text["x"] + text["width"], abs=1)
    assert browser.execute_script(NUMBERS) == [["(1)", margin], ["(2)", margin]]


def test_title_block_names_authors_and_the_day_of_the_last_commit(browser, width):
    block = browser.find_element("id", "title-block-header").text
    assert "A fixture" in block
    assert "First Author" in block
    assert re.search(r"\d+ [A-Z][a-z]+ \d{4}", block)


def test_captions_begin_with_bold_numbers(browser):
    captions = browser.find_elements("css selector", ".legend strong, figcaption strong")
    assert [c.text.replace("\xa0", " ") for c in captions] == ["Figure 1.", "Table 1.", "Table 2."]


def test_contents_stand_beside_the_text_or_above_it_and_lead_to_the_sections(browser, width):
    browser.execute_script("scrollTo(0, 0)")
    links = browser.find_elements("css selector", "#TOC a, #TOC-body a")
    one = next(link for link in links if link.is_displayed() and link.text == "1 One")
    text = browser.find_element("id", "fig-line").rect
    assert (one.location["x"] > text["x"] + text["width"]) == (width == 1280)
    assert width == 1280 or one.location["y"] < text["y"]
    one.click()
    assert browser.execute_script("return location.hash") == "#sec-one"


def test_every_link_within_the_page_leads_somewhere(browser):
    links = browser.find_elements("css selector", "main a[href^='#']")
    targets = {link.get_dom_attribute("href")[1:] for link in links}
    assert targets >= {"eq-second", "sec-two", "fig-line", "tbl-small"}
    assert [target for target in targets if not browser.find_elements("id", target)] == []


def test_code_is_folded_and_unfolds(browser):
    summary = browser.find_element("css selector", "details summary")
    code = browser.find_element("css selector", "details pre")
    assert not code.is_displayed()
    summary.click()
    assert code.is_displayed()
    summary.click()
    assert not code.is_displayed()


def test_theme_is_that_of_the_system_and_the_switch_turns_it_round(browser):
    ground = "return getComputedStyle(document.body).backgroundColor"
    system(browser, "dark")
    browser.refresh()
    dark = browser.execute_script(ground)
    switch(browser)
    light = browser.execute_script(ground)
    assert dark != light == "rgb(255, 255, 255)"
    browser.execute_script("localStorage.clear()")
    system(browser, "light")
    browser.refresh()
    assert browser.execute_script(ground) == light


TEXTS = "main p|h1|h2|main a[href='#eq-second']|td|th|.legend, figcaption|pre code|pre .op|pre .co"


def test_text_can_be_read_in_either_theme(browser):
    for _ in range(2):
        for what in [*TEXTS.split("|"), "math", "summary"]:
            assert browser.execute_script(CONTRAST, what) >= 4.5, what
        switch(browser)


def test_figures_stand_on_white_in_the_dark(browser):
    style = "return getComputedStyle(document.querySelector('img')).backgroundColor"
    switch(browser)
    assert browser.execute_script(style) == "rgb(255, 255, 255)"
    switch(browser)
