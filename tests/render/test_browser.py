"""The HTML of either route as a reader sees it: opened from file in headless Chromium."""

import json
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from figures.circles import EDGE
from mlp.model import Params, fprop
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
MOVING = """
```{python}
#| label: fig-moving
#| fig-cap: "Moving."
#| fig-alt: "A network."
import tempfile
from pathlib import Path

from figures.circles import Panel, regions
from figures.moving import Step, stepwise, through
from figures.style import export
from mlp import data, train
from mlp.settings import Settings

splits = data.Splits(*data.split(data.generate_circles(), (600, 250, 250), seed=0))
run = list(train.fit(splits, Settings(d_h=6, K=50, eta=0.5, epochs=200)))
epochs = (1, 50, 77, 100, 150, 200)
panels = [
    Panel(f"epoch {epoch}", run[epoch - 1][1].params, *splits[:2], ringed=splits.train.X[:3])
    for epoch in epochs
]
folder = Path(tempfile.mkdtemp())
export(regions(panels[-1:]), "a", folder, moving=through("epoch", panels, epochs))
```

```{python}
#| label: fig-steps
#| fig-cap: "Steps."
#| fig-alt: "Two words."
figure, ax = plt.subplots()
ax.text(0.2, 0.5, "left")
ax.text(0.8, 0.5, "right")
moving = stepwise(figure, [Step("first words", 0.5), Step("second words", 1, "eq-second")])
export(figure, "b", folder, moving=moving)
```
"""
ECHO = FIXTURE.replace("#| label: fig-line", "#| label: fig-line\n#| echo: true")
PAGE = ECHO + WIDE + MOVING
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
    for what, count in (("math", 4), ("img", 3), ("table", 2), ("pre", 1), (".equation", 2)):
        assert browser.execute_script(f"return document.querySelectorAll('{what}').length") >= count
        shown = f"main {what}:not([hidden], details pre)"
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
    assert [c.text.replace("\xa0", " ") for c in captions] == [
        "Figure 1.",
        "Table 1.",
        "Table 2.",
        "Figure 2.",
        "Figure 3.",
    ]


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


TEXTS = "main p|h1|h2|main a[href='#eq-second']|td|th|.legend, figcaption|pre code|pre .op"
LIVE = "pre .co a|.moving label|.moving output"  # what scripts write


def test_text_can_be_read_in_either_theme(browser):
    for _ in range(2):
        for what in [*TEXTS.split("|"), *LIVE.split("|"), "math", "summary"]:
            assert browser.execute_script(CONTRAST, what) >= 4.5, what
        switch(browser)


def test_figures_stand_on_white_in_the_dark(browser):
    style = "return getComputedStyle(document.querySelector('img')).backgroundColor"
    switch(browser)
    assert browser.execute_script(style) == "rgb(255, 255, 255)"
    switch(browser)


# --- figures that move --------------------------------------------------------------------------

# What the moving figure carries, and the colour of each pixel of its plane.
CARRIED = """
const svg = atob(document.querySelector("#fig-moving img").src.split(",")[1]);
return svg.match(/<dc:description>(.*)<\\/dc:description>/)[1];
"""
PIXELS = """
const plane = document.querySelector(".moving canvas");
return [...plane.getContext("2d").getImageData(0, 0, plane.width, plane.height).data];
"""
PICTURES = "return [...document.querySelectorAll('.moving canvas')].map(c => c.toDataURL())"


@pytest.fixture
def slider(browser):
    browser.refresh()
    return browser.find_element("css selector", ".moving input")


def test_a_slider_moves_by_keyboard_and_regions_curves_and_words_move_with_it(browser, slider):
    frames = json.loads(browser.execute_script(CARRIED))["frames"]
    assert len(frames) == 6
    label = browser.find_element("css selector", ".moving label")
    assert label.text == "Move: epoch"
    seen = []
    for frame in frames:
        train, valid = frame["error"]["train"], frame["error"]["valid"]
        said = browser.find_element("css selector", ".moving output").text
        assert said == f"{frame['title']}: train {train:.1f} %, valid {valid:.1f} %"
        assert slider.get_dom_attribute("aria-valuetext") == said
        seen.append(browser.execute_script(PICTURES))
        slider.send_keys("\ue014")  # arrow right
    for pictures in zip(*seen, strict=True):  # regions, errors, losses
        assert len(set(pictures)) == len(frames)


def test_the_page_computes_what_the_network_says_of_each_point(browser, slider):
    carried = json.loads(browser.execute_script(CARRIED))
    slider.send_keys("\ue010")  # the end
    pixels = np.array(browser.execute_script(PIXELS)).reshape(600, 600, 4)
    u = (np.arange(600) + 0.5) / 600 * 2 * EDGE - EDGE
    x = np.stack([coordinate.ravel() for coordinate in np.meshgrid(u, -u)])
    params = Params(*(np.array(carried["frames"][-1][name]) for name in Params._fields))
    bands = np.minimum((10 * fprop(params, x).os[1]).astype(int), 9).reshape(600, 600)
    shades = np.array([[255 * c for c in to_rgb(shade)] for shade in carried["shades"]])
    same = (np.abs(pixels[..., :3] - shades[bands]) < 1.5).all(axis=-1)
    r = np.hypot(*x).reshape(600, 600)
    free = (r < 0.7) | (r > 1.1)  # of points and of the line between them
    assert free.sum() > 100_000
    assert same[free].all()
    assert 0.9 < same.mean() < 1


MOTIONS = "return document.querySelector('.moving').getAnimations({subtree: true}).length"


# Of each part of the drawing, by its step, whether it is shown.
SHOWN = """
const svg = document.querySelector("#fig-steps .drawing").shadowRoot.firstChild;
return [...svg.querySelectorAll("[id^=step-]")].map(
  part => [part.id[5], getComputedStyle(part).visibility === "visible"]);
"""


def test_steps_of_a_drawing_appear_one_after_another_each_with_its_equation(browser, width):
    browser.refresh()
    slider = browser.find_element("css selector", "#fig-steps input")
    said = browser.find_element("css selector", "#fig-steps output")
    equation = browser.find_element("css selector", "#fig-steps .of-step")
    drawing = browser.find_element("css selector", "#fig-steps .drawing")
    assert browser.execute_script(SHOWN) == [["0", True], ["1", True]]
    assert said.text == "all steps"
    slider.send_keys("\ue011")  # home
    assert browser.execute_script(SHOWN) == [["0", True], ["1", False]]
    assert (said.text, equation.text) == ("first words", "")
    slider.send_keys("\ue014")
    assert browser.execute_script(SHOWN) == [["0", True], ["1", True]]
    assert said.text == slider.get_dom_attribute("aria-valuetext") == "second words"
    assert equation.text.endswith("(2)")
    assert drawing.accessible_name == "Two words."
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_plane_and_curves_lie_within_the_window_and_nothing_moves_by_itself(browser, width, slider):
    assert browser.execute_script(HIDDEN, ".moving :is(label, input, output, canvas)") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    slider.send_keys("\ue014")
    assert browser.execute_script(MOTIONS) == 0


def test_without_scripts_the_figure_stands_still(browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.refresh()
    images = browser.find_elements("css selector", "#fig-moving img, #fig-steps img")
    drawn = [image.is_displayed() for image in images]
    moving = browser.find_elements("css selector", ".moving")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.refresh()
    assert drawn == [True, True]
    assert moving == []


# --- previews of equations ----------------------------------------------------------------------


def preview(browser):
    """The number of the equation that is shown, if one is."""
    shown = browser.find_element("id", "preview")
    if not shown.is_displayed():
        return None
    assert shown.find_elements("css selector", "math")
    return re.search(r"\(\d+\)", shown.text)[0]


@pytest.mark.parametrize("link", ["main p a[href='#eq-second']", "pre .co a"])
def test_focus_on_the_number_of_an_equation_shows_it_and_escape_puts_it_away(browser, width, link):
    link = browser.find_element("css selector", link)
    assert preview(browser) is None
    browser.execute_script("arguments[0].focus()", link)
    assert preview(browser) == "(2)"
    assert browser.execute_script(HIDDEN, "#preview, #preview math") == []
    assert link.get_dom_attribute("aria-describedby") == "preview"
    browser.switch_to.active_element.send_keys("\ue00c")
    assert preview(browser) is None
    assert link.get_dom_attribute("aria-describedby") is None
    browser.execute_script("arguments[0].blur()", link)


@pytest.mark.parametrize("what", ["main p a[href='#eq-second']", "pre > code > span:has(.co)"])
def test_pointer_over_the_number_of_an_equation_or_its_line_of_code_shows_it(browser, what):
    from selenium.webdriver import ActionChains

    element = browser.find_element("css selector", what)
    ActionChains(browser).move_to_element(element).perform()
    assert preview(browser) == "(2)"
    ActionChains(browser).move_to_element(browser.find_element("css selector", "h1")).perform()
    deadline = time.monotonic() + 5
    while preview(browser) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert preview(browser) is None


def test_the_number_of_an_equation_in_code_leads_to_it(browser):
    browser.find_element("css selector", "pre .co a").click()
    target = browser.execute_script("return location.hash.slice(1)")
    assert browser.find_element("id", target).text.endswith("(2)")
