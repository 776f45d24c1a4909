"""What a browser measures of a page: contrast, focus, and the size of what a finger presses."""

CONTRAST = """(within) => {
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => rgb.map((value) => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const rgb = parts(getComputedStyle(at).backgroundColor);
      if (rgb.length && (rgb.length < 4 || rgb[3] === 1)) return rgb.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(
    document.querySelector(within ?? "body"), NodeFilter.SHOW_TEXT,
  );
  const found = [];
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (!textContent.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest(".unseen, option, svg")) continue;
    const [a, b] = [parts(getComputedStyle(element).color).slice(0, 3), behind(element)].map(light);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, textContent.trim().slice(0, 40), element.className]);
  }
  return found;
}"""
"""Ratio, text and class of every text that is seen, on the page or within one element, against the
nearest background behind it that is not see-through."""

FOCUS_SEEN = """() => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
  const thick = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  return thick && outlineColor === "rgb(0, 0, 0)";
}"""
"""Whether what has the focus shows it."""

SMALL = """(given, [least, within = "body"] = [given].flat()) => [
  ...document.querySelectorAll("button, a, select, summary, input"),
]
  .filter((element) => element.closest(within))
  .map((element) => (element.type === "checkbox" ? element.closest("label") : element))
  .filter((element) => element.checkVisibility() && !element.closest("#paper"))
  .filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    return Math.min(width, height) < least - 0.5;
  }).map((element) => element.outerHTML.slice(0, 120))"""
"""What a finger presses and is smaller than so many pixels, on the page or, given in a list with
them, within an element: a control, or the label that stands for a box to tick."""
