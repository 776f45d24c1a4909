"use strict";

// Where the phone is, for who asks to see it: a dot and a circle of how sure it is. The position
// goes from the browser to the map and nowhere else; it is never stored.
const makePosition = ({ map, button, say }) => {
  const style = { pane: "position", renderer: L.svg({ pane: "position" }), interactive: false };
  const circle = L.circle([0, 0], { ...style, radius: 1, color: "#005a9c", weight: 2, fillOpacity: 0.12 });
  const dot = L.circleMarker([0, 0], { ...style, radius: 9, color: "#fff", weight: 3, fillColor: "#000", fillOpacity: 1 });
  const layer = L.layerGroup([circle, dot]);
  let watch = null;
  const stop = () => {
    navigator.geolocation.clearWatch(watch);
    watch = null;
    layer.remove();
    button.setAttribute("aria-pressed", "false");
  };
  const show = ({ coords: { latitude, longitude, accuracy } }) => {
    if (watch === null) return; // a late answer after the stop
    const at = [latitude, longitude];
    circle.setLatLng(at).setRadius(accuracy);
    dot.setLatLng(at);
    if (map.hasLayer(layer)) return;
    layer.addTo(map);
    const isNear = map.getBounds().contains(at);
    if (!isNear) map.panTo(at, { animate: false });
    say(`You are the black dot, to within about ${Math.max(1, Math.round(accuracy))} metres.`);
  };
  const WORDS = {
    1: "This page may not see where you are. Allow location for it in the browser's settings.",
    2: "The phone cannot find where it is. Try again in the open.",
    3: "The phone has not found where it is in time. Try again in the open.",
  };
  const fail = ({ code }) => {
    if (watch === null) return;
    if (code !== 1 && map.hasLayer(layer)) return; // the last fix stays until the next one
    stop();
    const isRefused = code === 1 && !window.isSecureContext;
    say(isRefused
      ? "This browser shows no position on a page that is opened from a file. Use the street names and grid references."
      : WORDS[code], { seen: true });
  };
  button.addEventListener("click", () => {
    if (watch !== null) {
      stop();
      say("Your position is no longer shown.");
    } else if (!navigator.geolocation) {
      say("This browser does not know where it is.", { seen: true });
    } else {
      button.setAttribute("aria-pressed", "true");
      say("Looking for where you are.");
      watch = navigator.geolocation.watchPosition(show, fail, { enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 });
    }
  });
};
