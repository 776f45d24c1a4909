"use strict";

// Where the phone is, for who asks to see it: a dot and a circle of how sure it is. The position
// goes from the browser to the map and nowhere else; it is never stored.
const makePosition = ({ map, button, say }) => {
  const style = { pane: "position", renderer: L.svg({ pane: "position" }), interactive: false };
  const circle = L.circle([0, 0], { ...style, radius: 1, color: "#005a9c", weight: 2, fillOpacity: 0.12 });
  const dot = L.circleMarker([0, 0], { ...style, radius: 9, color: "#fff", weight: 3, fillColor: "#000", fillOpacity: 1 });
  const layer = L.layerGroup([circle, dot]);
  const WORDS = {
    0: "This browser does not know where it is.",
    1: window.isSecureContext ? "This page may not see where you are. Allow location for it in the browser's settings."
      : "This browser shows no position on a page that is opened from a file. Use the street names and grid references.",
    2: "The phone cannot find where it is. Try again in the open.",
    3: "The phone has not found where it is in time. Try again in the open.",
  };
  let isOn = false; // late answers come after the stop
  const turn = (on) => {
    isOn = on;
    button.setAttribute("aria-pressed", String(on));
    if (on) map.locate({ watch: true, enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 });
    else {
      map.stopLocate();
      layer.remove();
    }
  };
  map.on("locationfound", ({ latlng, accuracy }) => {
    if (!isOn) return;
    circle.setLatLng(latlng).setRadius(accuracy);
    dot.setLatLng(latlng);
    if (map.hasLayer(layer)) return;
    layer.addTo(map);
    if (!map.getBounds().contains(latlng)) map.panTo(latlng, { animate: false });
    say(`You are the black dot, to within about ${Math.max(1, Math.round(accuracy))} metres.`);
  });
  map.on("locationerror", ({ code }) => {
    if (!isOn || (code > 1 && map.hasLayer(layer))) return; // the last fix stays until the next one
    turn(false);
    say(WORDS[code], { seen: true });
  });
  button.addEventListener("click", () => {
    say(isOn ? "Your position is no longer shown." : "Looking for where you are.");
    turn(!isOn);
  });
};
