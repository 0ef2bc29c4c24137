"""Base class of html_browser_test.py: starts headless Chromium, loads and inspects pages, provides their reports."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PACKAGES = "chromium chromium-driver python3-selenium fonts-dejavu-core"
SKIPPED = 77

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait
    missing = [program for program in ("chromium", "chromedriver") if not shutil.which(program)]
except ModuleNotFoundError:
    missing = ["python3-selenium"]
if missing:
    print(f"html_browser_test.py lacks {', '.join(missing)}: scripts/test.sh installs it, or\n"
          f"  apt-get install --no-install-recommends {PACKAGES}")
    sys.exit(1 if os.environ.get("TIEOUT_NO_SKIP") else SKIPPED)

SAMPLES = "nights", "hostile", "equal", "unverified", "broken", "many", "diagnosed"
PHONE, DESK = 360, 1280
folder = pathlib.Path(tempfile.mkdtemp(prefix="tieout_browser_"))
screenshots = None
if "--screenshots" in sys.argv:
    screenshots = pathlib.Path(sys.argv[sys.argv.index("--screenshots") + 1])
    screenshots.mkdir(parents=True, exist_ok=True)

# Returns the shown texts whose contrast to their background is too low: [[ratio, wanted, text, class], ...]. Canvases
# and disabled controls are left out, as in WCAG.
LOW_CONTRAST = """
const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = numbers(getComputedStyle(element).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const low = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim();
  const element = walker.currentNode.parentElement;
  if (!text || element.closest("script, template, noscript, .unseen, .skip, :disabled")) continue;
  if (!element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const [a, b] = [luminance(numbers(style.color)), luminance(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const wanted = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
  if (ratio < wanted) low.push([ratio.toFixed(2), wanted, text.slice(0, 40), element.className]);
}
return low;
"""


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--user-data-dir={folder / 'profile'}", f"--window-size={DESK},900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


class Browser(unittest.TestCase):
    driver = None
    reports = {}

    @classmethod
    def setUpClass(cls):
        for name in SAMPLES:
            page = subprocess.run([sys.argv[1], name, "html"], check=True, stdout=subprocess.PIPE).stdout
            (folder / f"{name}.html").write_bytes(page)
        for name in "nights", "hostile":
            text = subprocess.run([sys.argv[1], name, "json"], check=True, stdout=subprocess.PIPE).stdout
            cls.reports[name] = json.loads(text)
        cls.driver = start()

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        shutil.rmtree(folder, ignore_errors=True)

    def load(self, name, width=DESK, scheme="light", fragment=""):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": "", "features": [{"name": "prefers-color-scheme", "value": scheme},
                                      {"name": "prefers-reduced-motion", "value": "reduce"}]})
        self.driver.get("about:blank")
        for log in "browser", "performance":
            self.driver.get_log(log)
        self.driver.get((folder / f"{name}.html").as_uri() + fragment)
        self.until(lambda: self.js("return document.documentElement.dataset.ready"))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition):
        return WebDriverWait(self.driver, 20, poll_frequency=0.02).until(lambda _: condition())

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def open(self, number):
        self.js("document.querySelector(`#finding-${arguments[0]} > details`).open = true", number)
        self.until(lambda: self.js("return !!document.querySelector(`#finding-${arguments[0]} .note`)", number))

    def number_of(self, kind):
        kinds = [finding["kind"] for finding in self.reports["nights"]["findings"]]
        return kinds.index(kind) + 1

    def readout(self, number):
        return self.one(f"#finding-{number} .readout").text

    def focused(self, what):
        return self.js(f"const e = document.activeElement; return {what}")

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def screenshot(self, name):
        if not screenshots:
            return
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}})
        (screenshots / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
