"""Headless Chromium, driven by Selenium: what the tests of pages need of it."""

import json
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

# The wide window and the narrow one that pages are made for, in CSS pixels.
WIDE = (1280, 800)
NARROW = (360, 640)
_FLAGS = (
    "--headless=new",
    # The root is a sandbox, and Chromium can't make another inside.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
# The least contrast of a text with what lies behind it, over the elements that are shown, as [ratio, text].
_CONTRAST = """
const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const pixel = (colours) => {
  context.clearRect(0, 0, 1, 1);
  for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
  return context.getImageData(0, 0, 1, 1).data;
};
const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const worst = [99, ""];
for (const element of document.querySelectorAll("body *")) {
  const own = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility({ opacityProperty: true })) continue;
  const behind = [];
  for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
  const style = getComputedStyle(element);
  const [low, high] = [pixel(behind), pixel([...behind, style.color])].map(luminance).sort((a, b) => a - b);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < worst[0]) {
    worst[0] = ratio;
    worst[1] = `${element.localName}.${element.className}: ${element.textContent}`;
  }
}
return worst;
"""


class Browser:
    """One browser for all tests; `open` begins anew."""

    def __init__(self, screenshots: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/lib/chromium/chromium"
        for flag in _FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self._screenshots = screenshots
        self._devtools("Performance.enable", timeDomain="threadTicks")

    def open(
        self,
        page: Path,
        size: tuple[int, int] = WIDE,
        fragment: str = "",
        dark: bool = False,
        scripts: bool = True,
    ) -> None:
        """Show the page in a window of this size, with this preferred colour scheme, with its script or without."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self._devtools("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                       mobile=False)  # fmt: skip
        self._devtools("Emulation.setEmulatedMedia", features=[scheme])
        self._devtools("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.driver.get(page.as_uri() + fragment)

    def _devtools(self, method: str, **parameters: Any) -> None:
        self.driver.execute_cdp_cmd(method, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the page, which is the body of a function."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        """The first element that the CSS selector fits."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """All elements that the CSS selector fits."""
        return list(self.driver.find_elements("css selector", selector))

    def shown(self, selector: str) -> list[Any]:
        """Those of them that are shown, as the browser itself says: Selenium doesn't know folded details."""
        script = "return Array.from(document.querySelectorAll(arguments[0])).filter((e) => e.checkVisibility())"
        return list(self.run(script, selector))

    def press(self, *keys: str) -> None:
        """Type on the keyboard, whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def in_window(self, element: Any) -> bool:
        """Whether the whole element can be seen without scrolling."""
        return bool(
            self.run(
                "const box = arguments[0].getBoundingClientRect();"
                "return box.height > 0 && box.top >= 0 && box.left >= 0"
                " && box.bottom <= innerHeight && box.right <= innerWidth",
                element,
            )
        )

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.run("return document.documentElement.scrollWidth - innerWidth"))

    def least_contrast(self) -> tuple[float, str]:
        """The worst contrast ratio (WCAG 2) of the texts that are shown, and which text it is."""
        ratio, text = self.run(_CONTRAST)
        return ratio, text

    def messages(self) -> list[str]:
        """What the console of the browser got since `open`: errors, and violations of the page's policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that the browser asked for since `open`, without those that the page's policy stopped."""
        urls = {}
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            parameters = event["params"]
            if event["method"] == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith("data:"):
                urls[parameters["requestId"]] = parameters["request"]["url"]
            if event["method"] == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
                urls.pop(parameters["requestId"], None)
        return list(urls.values())

    def busy_seconds(self) -> float:
        """The processor time that the page has used so far, whatever else the machine does meanwhile."""
        metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def screenshot(self, name: str) -> None:
        """Leave a picture for who reads the test's outputs."""
        self.driver.save_screenshot(str(self._screenshots / f"{name}.png"))
