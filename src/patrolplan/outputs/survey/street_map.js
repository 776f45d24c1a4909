"use strict";

// The map to tap. It is built when it is opened and removed when it is closed, so that nothing of
// one pupil's map is left for the next.
const makeStreetMap = ({ data, icon }) => {
  const pieces = unpack(data.streets.lines);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const [HOME_METRES, WIDE_METRES] = [600, 1400]; // across, when the map opens for a first or a later place
  const NEAR_METRES = 250; // a place farther from any named street has no name
  const bounds = L.latLngBounds(data.bounds);

  // ---- which street a place is near ---------------------------------------------------------
  const degree = 111195;
  const across = degree * Math.cos((data.gate[0] * Math.PI) / 180);
  const toPlane = ([lat, lng]) => L.point((lng - data.gate[1]) * across, (lat - data.gate[0]) * degree);
  const planes = pieces.map((piece) => piece.map(toPlane));
  const nameNear = (at) => {
    const point = toPlane(at);
    let best = { metres: NEAR_METRES, name: "" };
    planes.forEach((line, row) => {
      const name = data.streets.names[data.streets.name[row]];
      if (!name) return;
      const metres = Math.min(...line.slice(1).map((end, i) => L.LineUtil.pointToSegmentDistance(point, line[i], end)));
      if (metres < best.metres) best = { metres, name };
    });
    return best.name;
  };

  // ---- signs --------------------------------------------------------------------------------
  const makeSign = (at, name, size, anchor) => {
    const sign = L.divIcon({ className: `sign ${name}`, html: icon(name), iconSize: size, iconAnchor: anchor });
    return L.marker(at, { icon: sign, interactive: false, keyboard: false });
  };
  const makePin = (at) => makeSign(at, "pin", [40, 52], [20, 50]);

  // ---- names and stops, above the streets ---------------------------------------------------
  const makeInk = (map, signs) => {
    const chosen = { patrol: null, legs: [] };
    const names = makeNames({ map, data, pieces, chosen });
    const points = makePoints({ map, data, names });
    const around = (width) => [[0, 26], [0, -26], [width / 2 + 24, 0], [-width / 2 - 24, 0]];
    const middle = () => [[0, 0], [0, 14], [0, -14], [0, 28], [0, -28]];
    const dip = (pen, fillStyle) => Object.assign(pen, { lineWidth: 4, strokeStyle: "#ffffff", fillStyle });
    const drawSchool = (pen, { x, y }) => {
      pen.beginPath();
      pen.rect(x - 6, y - 6, 12, 12);
      Object.assign(pen, { lineWidth: 3, strokeStyle: "#10162f", fillStyle: "#ffffff" });
      pen.fill();
      pen.stroke();
    };
    const drawLandmarks = (pen, sight, occupied) => data.landmarks
      .map((place) => ({ ...place, at: map.latLngToLayerPoint(place.at) }))
      .filter(({ at, kind }) => sight.contains(at) && (kind === "school" || map.getZoom() >= 15))
      .forEach(({ at, kind, name }) => {
        const isSchool = kind === "school";
        if (isSchool) {
          drawSchool(pen, at);
          occupied.take([{ ...at, r: 8 }]);
        }
        dip(pen, isSchool ? "#10162f" : "#24571f");
        names.writeFree(pen, name, at, occupied, isSchool ? around : middle);
      });
    const draw = (pen, sight) => {
      const occupied = makeRoom();
      occupied.take(signs().map(({ at, r, lift }) => ({ ...map.latLngToLayerPoint(at).add([0, -lift]), r })));
      occupied.take(findCovered(map, ".crosshair"));
      names.setFont(pen);
      Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
      const drawn = points.draw(pen, sight, occupied);
      dip(pen, "#10162f");
      names.writeFree(pen, data.school.name, map.latLngToLayerPoint(data.gate), occupied, around);
      points.writeNames(pen, drawn, occupied);
      drawLandmarks(pen, sight, occupied);
      dip(pen, "#2b2b2b");
      names.draw(pen, sight, occupied, makeRoom());
    };
    return makeSheet({ draw });
  };

  // ---- the map itself -----------------------------------------------------------------------
  const build = (holder) => {
    const map = L.map(holder, {
      maxZoom: 19, zoomSnap: 0.25, zoomDelta: 1, keyboardPanDelta: 40, doubleClickZoom: false,
      maxBounds: bounds.pad(0.05), maxBoundsViscosity: 1, bounceAtZoomLimits: false,
      zoomControl: false, tapHold: false,
      inertia: !calm, zoomAnimation: false, // which would run on after the map is closed
    });
    L.control.zoom({ position: "bottomright", zoomInTitle: "Closer", zoomOutTitle: "Farther away" }).addTo(map);
    map.attributionControl.setPrefix(false).addAttribution(data.credit);
    if (calm) {
      const pan = map.panBy;
      map.panBy = (offset, options) => pan.call(map, offset, { ...options, animate: false });
    }
    [["ground", 380], ["ink", 430]].forEach(([name, order]) => {
      map.createPane(name).style.zIndex = order;
      map.getPane(name).style.pointerEvents = "none";
    });
    return map;
  };
  const drawStreets = (map) => {
    const renderer = L.canvas({ pane: "ground", padding: 0.2 });
    const ground = { pane: "ground", renderer, interactive: false };
    const streets = makeGround({ map, data, pieces, ground });
    streets.drawLand();
    const layers = streets.drawStreets();
    const setWidths = () => streets.setWidths(layers);
    map.on("zoomend", setWidths);
    setWidths();
  };
  const open = (frame, { view, marked, pick }) => {
    const holder = document.createElement("div");
    holder.className = "map";
    frame.prepend(holder);
    const map = build(holder);
    // So far out that all streets show, and no farther.
    map.setMinZoom(Math.min(15, map.getBoundsZoom(bounds)));
    if (view) map.setView(view.centre, view.zoom, { animate: false });
    else map.fitBounds(L.latLng(data.gate).toBounds(marked.length ? WIDE_METRES : HOME_METRES), { animate: false });
    drawStreets(map);
    marked.forEach((at) => {
      L.circle(at, { radius: data.apart_metres, interactive: false, color: "#10162f", weight: 2, dashArray: "4 6", fillOpacity: 0.08 }).addTo(map);
      makeSign(at, "done", [32, 32], [16, 16]).addTo(map);
    });
    makeSign(data.gate, "gate", [36, 36], [18, 18]).addTo(map);
    let pin = null;
    const signs = () => [
      { at: data.gate, r: 19, lift: 0 },
      ...marked.map((at) => ({ at, r: 17, lift: 0 })),
      ...(pin ? [{ at: pin.getLatLng(), r: 22, lift: 24 }] : []),
    ];
    const ink = makeInk(map, signs).addTo(map);
    const setPin = (at, { centre = false } = {}) => {
      if (pin) pin.remove();
      pin = at && makePin(at).addTo(map);
      if (at && centre) map.setView(at, Math.max(map.getZoom(), 16.5), { animate: false });
      ink.redraw();
    };
    // Leaflet would take a map that is not whole pixels high for one that is scaled.
    map.on("click", ({ originalEvent: { clientX, clientY } }) => {
      const { left, top } = holder.getBoundingClientRect();
      const { lat, lng } = map.containerPointToLatLng([clientX - left, clientY - top]);
      pick([lat, lng], { by: "finger" });
    });
    holder.addEventListener("keydown", (event) => {
      if (!["Enter", " "].includes(event.key) || event.target !== holder) return;
      event.preventDefault();
      const { lat, lng } = map.getCenter();
      pick([lat, lng], { by: "keyboard" });
    });
    holder.setAttribute("role", "application");
    holder.setAttribute("aria-label", `Map of the streets around ${data.school.name}. Arrow keys move it under the cross in its middle, plus and minus zoom, Enter drops the pin at the cross. Or choose a street from the list after the map.`);
    const resizing = new ResizeObserver(() => map.invalidateSize({ animate: false, pan: false }));
    resizing.observe(holder);
    return {
      setPin,
      getView: () => ({ centre: map.getCenter(), zoom: map.getZoom() }),
      isOnMap: (at) => bounds.contains(at),
      close: () => {
        resizing.disconnect();
        map.remove();
        L.DomUtil.restoreOutline(); // Leaflet would hold the map that was touched last
        holder.remove();
      },
    };
  };
  return { open, nameNear, metresApart: (a, b) => L.latLng(a).distanceTo(b) };
};
