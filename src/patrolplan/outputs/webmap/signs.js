"use strict";

// Signs on the map: a short text in a shape of its own, with words for a screen reader.
const makeSign = (at, text, label, classes, order, size = 32, lift = 0) => {
  const iconAnchor = [size / 2, size / 2 + lift];
  const icon = L.divIcon({ className: `badge ${classes}`, html: "", iconSize: [size, size], iconAnchor });
  const marker = L.marker(at, { icon, zIndexOffset: order, keyboard: true });
  marker.on("add", () => {
    const element = marker.getElement();
    element.textContent = text;
    element.setAttribute("aria-label", label);
    element.title = label;
    element.addEventListener("keydown", ({ key }) => key === "Enter" && marker.fire("click"));
  });
  return marker;
};

const makeStartSign = (at) => makeSign(at, "G", "School gate, start and end", "gate", 1000);

// A stop of the patrol shown; the speech bubble of a place that pupils fear is drawn by the style.
const makeStopSign = (at, number, { feared }) => {
  const label = `Stop ${number}${feared ? ", pupils feel unsafe here" : ""}`;
  return makeSign(at, number, label, `number${feared ? " feared" : ""}`, 1000);
};

// The place that intelligence named; lifted where the stop's own sign would cover it.
const makeTaskedSign = (at, stop, words) => {
  const near = L.latLng(at).distanceTo(stop) < 40;
  return makeSign(at, "T", words, "task", 980, 28, near ? 32 : 0);
};
