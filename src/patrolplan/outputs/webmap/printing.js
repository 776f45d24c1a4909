"use strict";

// Leaflet draws for the size on the screen; paper has another, so the map is drawn again.
const makePrinting = ({ map, article, fit }) => {
  let before = null;
  const open = (isOpen) => article()?.querySelectorAll(".walk").forEach((walk) => { walk.open = isOpen; });
  addEventListener("beforeprint", () => {
    before = { center: map.getCenter(), zoom: map.getZoom() };
    document.body.classList.add("printing");
    open(true);
    map.invalidateSize({ animate: false, pan: false });
    fit();
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("printing");
    open(false);
    map.invalidateSize({ animate: false, pan: false });
    map.setView(before.center, before.zoom, { animate: false });
  });
};
