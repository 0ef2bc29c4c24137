"""Tests the HTML report in headless Chromium: display, use and accessibility, on a desktop, on a phone and in print.

Usage: html_browser_test.py SAMPLE_REPORT [--screenshots FOLDER]
Without Chromium it prints what is missing and exits with 77, which ctest shows as skipped; with TIEOUT_NO_SKIP=1 it
fails.
"""
import base64
import json
import sys
import time
import unittest

from html_browser import LOW_CONTRAST, PHONE, SAMPLES, Browser, folder, screenshots
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


class Page(Browser):
    def test_is_silent_and_asks_for_nothing(self):
        for name in SAMPLES:
            with self.subTest(name):
                self.load(name)
                if name in self.reports:
                    for number in range(1, len(self.reports[name]["findings"]) + 1):
                        self.open(number)
                messages = [entry["message"] for entry in self.driver.get_log("browser")]
                self.assertEqual(messages, [])
                events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
                urls = {event["params"]["request"]["url"] for event in events
                        if event["method"] == "Network.requestWillBeSent"}
                self.assertEqual(urls, {(folder / f"{name}.html").as_uri()})

    def test_the_policy_forbids_what_the_page_does_not_need(self):
        self.load("equal")
        self.js("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
                "const i = document.createElement('img'); i.src = 'https://tieout.example/'; document.body.append(i);")
        blocked = [entry["message"] for entry in self.driver.get_log("browser")]
        self.assertIsNone(self.js("return window.ran ?? null"))
        self.assertTrue(any("img-src" in message or "default-src" in message for message in blocked), blocked)

    def test_hostile_text_stays_text(self):
        self.load("hostile")
        for number in 1, 2, 3:
            self.open(number)
        self.assertEqual(self.js("return document.querySelectorAll('img, iframe, object, b, h1 img').length"), 0)
        self.assertEqual(self.js("return document.querySelectorAll('a[href^=\"javascript\" i]').length"), 0)
        self.assertIn('</script></title><img src=x onerror="alert(1)">{{title}}', self.one("#finding-1 .line").text)
        self.assertIn("</script></title><img src=x", self.one("#run .copyable pre").text)

    def test_the_verdict_comes_first(self):
        for name, state, headline in (("nights", "Differs", "23 of 205,716 cases differ"), ("equal", "Equal", ""),
                                      ("unverified", "Not verified", "nothing was verified")):
            self.load(name)
            self.assertIn(state, self.one("header .state").text)
            self.assertIn(headline, self.one("h1").text)
            self.assertLess(self.one("h1").rect["y"], 250)

    def test_causes_come_before_the_findings(self):
        self.load("diagnosed")
        self.assertIn("2 causes, 1 case unexplained", self.one("header .rest").text)
        self.assertLess(self.one("#causes").rect["y"], self.one("#findings").rect["y"])
        card = self.one("#cause-1").text
        for words in ("where dilation of the width >= 2", "3 of 5", "if (iw >= 0) {", "kh 0       =  +", "proof: 1,998 of 2,000"):
            self.assertIn(words, card)
        self.assertNotIn("known", card)
        self.assertIn("known", self.one("#cause-2 .share").text)
        self.assertIn("always", self.one("#cause-2 .condition").text)
        self.one("#cause-2 .copyable button").click()

    def test_the_summary_counts_values_that_are_not_exact(self):
        self.load("equal")
        summary = self.one("header").text
        self.assertIn("4,127 elements in 310 cases are equal to LibTorch's values but not to the exact contract's, "
                      "because FBGEMM saturates pairs of products in 16 bits; that depends on the CPU.", summary)
        self.assertIn("95 cases count as equal although some values are not LibTorch's", summary)
        self.load("nights")
        self.assertNotIn("exact contract", self.one("header").text)

    def test_hover_gives_the_numbers(self):
        number = self.number_of("pair saturation")
        finding = self.reports["nights"]["findings"][number - 1]
        self.load("nights")
        self.open(number)
        canvas = self.one(f"#finding-{number} .map canvas")
        self.js("arguments[0].scrollIntoView({block: 'center'})", canvas)
        channel, row, column = 7, 2, 5  # channel 7 has the worst element, which is shown first
        cell = canvas.rect["width"] / 12
        ActionChains(self.driver).move_to_element_with_offset(
            canvas, int((column + 0.5) * cell - canvas.rect["width"] / 2),
            int((row + 0.5) * cell - canvas.rect["height"] / 2)).perform()
        at = (channel * 12 + row) * 12 + column
        expected, actual = finding["expected"][at], finding["actual"][at]
        self.assertTrue(self.readout(number).startswith(f"[0, {channel}, {row}, {column}]"), self.readout(number))
        self.assertIn(f"libtorch {expected} ", self.readout(number))
        self.assertIn(f"scalar {actual} ", self.readout(number))

    def test_maps_are_walked_by_keys(self):
        number = self.number_of("bias rounding")  # 1 x 64 x 56 x 56
        finding = self.reports["nights"]["findings"][number - 1]
        differing = [i for i, (e, a) in enumerate(zip(finding["expected"], finding["actual"])) if e != a]
        self.load("nights")
        self.open(number)
        maps = self.one(f"#finding-{number} .maps")

        def index(offset):
            return f"[0, {offset // 3136}, {offset // 56 % 56}, {offset % 56}]"

        cursor = finding["difference"]["worst"]
        self.assertTrue(self.readout(number).startswith(index(cursor)))
        maps.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
        self.assertTrue(self.readout(number).startswith(index(cursor + 57)))
        maps.send_keys("n")
        cursor = next(offset for offset in differing if offset > cursor + 57)
        self.assertTrue(self.readout(number).startswith(index(cursor)), self.readout(number))
        plane = self.one(f"#finding-{number} .tools input")
        self.js("arguments[0].value = 63; arguments[0].dispatchEvent(new Event('change'))", plane)
        self.assertTrue(self.readout(number).startswith("[0, 63, 0, 0]"))
        maps.send_keys("n")  # from the last differing element to the first
        self.assertTrue(self.readout(number).startswith(index(differing[0])), self.readout(number))

    def test_statistics_and_case_are_shown(self):
        number = self.number_of("bias rounding")
        finding = self.reports["nights"]["findings"][number - 1]
        self.load("nights")
        self.open(number)
        text = self.one(f"#finding-{number}").text
        for entry in finding["difference"]["histogram"]:
            sign = "+" if entry["difference"] > 0 else "\u2212"
            self.assertIn(f"{sign}{abs(entry['difference'])}: {entry['count']}", text)
        self.assertIn(f"{finding['difference']['signed_mean']:+.3g}"[:5], text)
        self.assertIn("1, 8, 15, 22, 29, 36, 43, 50, 57", text)  # the channels with differences
        self.assertIn(finding["replay"], text)

    def test_copy_gives_the_command_and_a_script_that_python_reads(self):
        number = self.number_of("tie")
        self.load("nights")
        self.open(number)
        self.js("Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (t) => { window.copied = t; }}})")
        buttons = self.driver.find_elements(By.CSS_SELECTOR, f"#finding-{number} .copyable button")
        self.js("for (const d of document.querySelectorAll('.body details')) d.open = true")
        buttons[0].click()
        self.until(lambda: buttons[0].text == "Copied")
        self.assertEqual(self.js("return window.copied"), "tieout check 'conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]'")
        buttons[-1].click()
        self.until(lambda: "import torch" in self.js("return window.copied"))
        compile(self.js("return window.copied"), "script", "exec")

    def test_ten_thousand_findings(self):
        begin = time.monotonic()
        self.load("many")
        loaded = time.monotonic()
        self.assertEqual(self.one("#count").text, "10,000 findings")
        self.one("#last").click()
        self.assertEqual(self.one("#page").text, "Page 400 of 400")
        clicked = time.monotonic()
        self.open(10000)
        opened = time.monotonic()
        print(f"10,000 findings: {(folder / 'many.html').stat().st_size / 1e6:.1f} MB, loaded in {loaded - begin:.2f} s, "
              f"last one open {opened - clicked:.2f} s after the click", file=sys.stderr)
        self.one("#first").click()
        self.assertEqual(self.one(".finding").get_attribute("id"), "finding-1")

        Select(self.one("#filter-1")).select_by_value("tie")
        Select(self.one("#filter-4")).select_by_value("im2col")
        some = int(self.one("#count").text.split(" of ")[0].replace(",", ""))
        self.assertTrue(0 < some < 10000, some)
        rows = self.js("return [...document.querySelectorAll('.finding')].map((f) => "
                       "[f.querySelector('.kind').textContent, f.querySelector('.path').textContent])")
        self.assertEqual(set(map(tuple, rows)), {("tie", "im2col")})
        seed = self.one(".finding .line").text.split("seed=")[1].split()[0]
        self.one("#filter-text").send_keys(seed)
        self.until(lambda: self.one("#count").text.startswith("1 of 10,000"))
        self.one(".finding summary").click()
        self.until(lambda: seed in self.one(".finding .body").text)

    def test_a_link_opens_its_finding(self):
        self.load("many", fragment="#finding-5001")
        self.until(lambda: self.js("return !!document.querySelector('#finding-5001 .maps')"))

    def test_keys_reach_everything_and_focus_is_seen(self):
        self.load("nights")
        self.press(Keys.TAB)
        self.assertEqual(self.focused("e.className"), "skip")
        self.press(Keys.ENTER)
        self.assertEqual(self.focused("e.id"), "findings")
        reached = []
        for _ in range(40):
            self.press(Keys.TAB)
            reached.append(self.focused("e.id || e.className || e.tagName"))
            self.assertNotEqual(self.focused("getComputedStyle(e).outlineStyle"), "none", reached)
            if self.focused("e.tagName") == "SUMMARY":
                break
        self.assertEqual(reached[:6], ["filter-text"] + [f"filter-{i}" for i in range(5)])
        self.press(Keys.ENTER)
        self.until(lambda: self.js("return !!document.querySelector('#finding-1 .maps')"))
        for _ in range(12):
            self.press(Keys.TAB)
            if self.focused("e.className") == "maps":
                return
        self.fail("the maps cannot be reached by the Tab key")

    def test_fits_a_phone(self):
        for name in "nights", "hostile", "unverified", "many":
            self.load(name, PHONE)
            for number in range(1, 1 + len(self.reports.get(name, {"findings": []})["findings"])):
                self.open(number)
            self.js("for (const d of document.querySelectorAll('details')) d.open = true")
            self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), PHONE, name)
        self.load("nights", PHONE)
        self.open(self.number_of("pair saturation"))
        self.screenshot("phone")

    def test_contrast_by_day_and_by_night(self):
        for scheme in "light", "dark":
            self.load("nights", scheme=scheme)
            page = self.js("return getComputedStyle(document.body).backgroundColor")
            self.assertEqual(page, {"light": "rgb(251, 251, 250)", "dark": "rgb(18, 20, 23)"}[scheme])
            for number in range(1, 6):
                self.open(number)
            self.assertEqual(self.js(LOW_CONTRAST), [], scheme)
            self.load("nights", scheme=scheme)
            self.open(self.number_of("pair saturation"))
            self.screenshot(f"desk-{scheme}")

    def test_a_screen_reader_hears_names_and_an_order_of_headings(self):
        self.load("nights")
        self.open(1)
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        spoken = [(node["role"]["value"], node.get("name", {}).get("value", ""), node) for node in nodes
                  if not node["ignored"] and "role" in node]
        wanted = {"button", "link", "textbox", "searchbox", "spinbutton", "combobox", "application", "region", "image", "img",
                  "navigation", "search", "DisclosureTriangle"}
        self.assertEqual([role for role, name, _ in spoken if role in wanted and not name.strip()], [])
        roles = {role for role, _, _ in spoken}
        self.assertTrue({"banner", "main", "navigation", "contentinfo", "application", "status"} <= roles, roles)
        levels = [int(next(p["value"]["value"] for p in node["properties"] if p["name"] == "level"))
                  for role, _, node in spoken if role == "heading"]
        self.assertEqual(levels[0], 1)
        self.assertEqual(levels.count(1), 1)
        for before, after in zip(levels, levels[1:]):
            self.assertLessEqual(after, before + 1, levels)
        nameless = self.js("return [...document.querySelectorAll('[tabindex=\"0\"]')].filter((e) => !e.ariaLabel).length")
        self.assertEqual(nameless, 0, "places to tab to that say nothing")
        bare = self.js("return [...document.querySelectorAll('th')].filter((th) => !th.scope).length")
        self.assertEqual(bare, 0, "header cells without a scope")

    def test_prints(self):
        self.load("nights")
        self.open(self.number_of("pair saturation"))
        pdf = base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.assertGreater(len(pdf), 20_000)
        if screenshots:
            (screenshots / "print.pdf").write_bytes(pdf)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        for hidden in "body > nav", "#filters", ".tools":
            self.assertFalse(self.one(hidden).is_displayed(), hidden)
        self.assertTrue(self.one("h1").is_displayed())

    def test_reads_without_a_script(self):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            self.driver.get((folder / "nights.html").as_uri())
            text = self.one("body").text
            for part in ("23 of 205,716 cases differ", "Trend of 14 runs", "pair saturation", "428 of 200,704 differ",
                         "need JavaScript", "activation_sum_saturated"):
                self.assertIn(part, text)
            self.assertFalse(self.one("#filters").is_displayed())
        finally:
            self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


if __name__ == "__main__":
    names = [argument for argument in sys.argv[2:] if argument.startswith("Page")]
    unittest.main(argv=sys.argv[:1] + names)
