// The map next to the week: our own streets, hotspots, schools, tasked places, the patrol shown.

import { make, one } from "./dom.js";
import { fear, isRefused, keptAway, schoolName, task } from "./store.js";

const { L } = window;
const LETTER_PIXELS = 6;
const NEAR_ZOOM = 13;
const CARRIED = 2; // of a hotspot that pupils' reports carry more than recorded crime
// Streets by risk, the 5 % with most and the next 10 %, as on the phone: by width and by colour.
const RISK_CLASSES = {
  3: { color: "#b8480b", weight: 4 },
  4: { color: "#7a2303", weight: 6 },
};
const chart = { map: null, hotspots: [], patrol: null, places: null, onPoint: null, frame: null, dosed: new Set(), near: null, taken: [], nameHotspots: () => {} };

/** [longitude, latitude] as Leaflet wants it. */
const point = ([longitude, latitude]) => [latitude, longitude];

/** A small sign on the map: text in a box, circle or diamond. */
const sign = (at, text, kind, title) => L.marker(at, {
  icon: L.divIcon({ className: `sign ${kind}`, html: make("span", { text }), iconSize: null }),
  keyboard: false, interactive: Boolean(title), title, alt: title,
});

/** Where something is drawn: always, or only when zoomed in, where fine lines can be seen. */
const layerOf = (isFine) => (isFine ? chart.near : chart.map);

const drawGround = (data) => {
  const { map } = chart;
  const ground = { pane: "ground", renderer: L.canvas({ pane: "ground", padding: 0.3 }), interactive: false };
  const { drawLand, drawStreets, setWidths, withDigit, flat } = makeGround({ map, data, pieces: unpack(data.streets.lines), ground });
  drawLand();
  const streets = drawStreets();
  const coloured = Object.entries(RISK_CLASSES).map(([digit, { color, weight }]) => {
    const layer = L.polyline(withDigit(data.risk_classes, digit), { ...ground, ...flat, color });
    return { layer: layer.addTo(layerOf(digit !== "4")), weight };
  });
  const widen = () => setWidths([...streets, ...coloured]);
  map.on("zoomend", widen);
  widen();
};

/** Names of streets, set where there is room, the main ones first. */
const drawNames = ({ at, name, angle, room, rank }, names) => {
  const [places] = unpack({ counts: [name.length], steps: at });
  const layer = L.layerGroup().addTo(chart.map);
  const draw = () => {
    layer.clearLayers();
    const { map } = chart;
    const bounds = map.getBounds().pad(0.1);
    const pixels = map.latLngToLayerPoint(map.getCenter()).distanceTo(map.latLngToLayerPoint([map.getCenter().lat + 0.001, map.getCenter().lng])) / 111.2;
    const taken = [];
    const placed = new Map();
    places.forEach((place, row) => {
      const text = names[name[row]];
      const wide = text.length * LETTER_PIXELS;
      if (!bounds.contains(place) || wide > room[row] * pixels * 1.1 || (Number(rank[row]) > 2 && map.getZoom() < 16)) return;
      const here = map.latLngToLayerPoint(place);
      if ((placed.get(text) ?? []).some((other) => other.distanceTo(here) < 260)) return;
      if (taken.some((other) => Math.abs(other.here.x - here.x) < (other.wide + wide) / 2.2 && Math.abs(other.here.y - here.y) < 14)) return;
      taken.push({ here, wide });
      placed.set(text, [...(placed.get(text) ?? []), here]);
      const label = make("span", { text });
      label.style.transform = `translate(-50%, -50%) rotate(${angle[row]}deg)`;
      L.marker(place, { pane: "names", interactive: false, keyboard: false, icon: L.divIcon({ className: "street-name", html: label, iconSize: null }) }).addTo(layer);
    });
  };
  chart.map.on("moveend zoomend", draw);
  draw();
};

/** What a press on a sign does: it sets the place of the form that is open, or tells what the sign is. */
const press = (at, words, text) => () => (chart.onPoint ? chart.onPoint(at, words) : tell(text));
const hotspotWords = ({ id, place, feared }) => `${id}: ${place}${fear({ feared })}`;
const isDosed = ({ id }) => chart.dosed.has(id);

/** Hotspots as bands; their names where there is room, those with a dose this week first. */
const drawHotspots = (hotspots) => {
  const { map } = chart;
  const pressHotspot = (hotspot) => press(hotspot.stop, `priority street ${hotspot.id}`, `Priority street ${hotspotWords(hotspot)}.`);
  const renderer = L.canvas({ pane: "bands", padding: 0.3 });
  hotspots.forEach((hotspot) => L.polyline(unpack(hotspot.lines), {
    pane: "bands", renderer, color: "#4b1d7a", weight: 8, opacity: 0.25,
  }).on("click", (event) => { L.DomEvent.stop(event); pressHotspot(hotspot)(); }).addTo(layerOf(!isDosed(hotspot))));
  const layer = L.layerGroup().addTo(map);
  chart.nameHotspots = () => {
    layer.clearLayers();
    const bounds = map.getBounds();
    const taken = chart.taken.map((at) => map.latLngToLayerPoint(at));
    [...hotspots].sort((a, b) => Number(isDosed(b)) - Number(isDosed(a))).forEach((hotspot) => {
      const { id, stop, feared } = hotspot;
      if (!bounds.contains(stop) || (!isDosed(hotspot) && map.getZoom() < 15.5)) return;
      const here = map.latLngToLayerPoint(stop);
      if (taken.some((other) => Math.abs(other.x - here.x) < 32 && Math.abs(other.y - here.y) < 18)) return;
      taken.push(here);
      const kind = `hotspot${isDosed(hotspot) ? " dosed" : ""}${feared === CARRIED ? " feared" : ""}`;
      sign(stop, id, kind, hotspotWords(hotspot)).on("click", pressHotspot(hotspot)).addTo(layer);
    });
  };
  map.on("moveend zoomend", chart.nameHotspots);
  chart.nameHotspots();
};

export const markDosed = ({ doses }) => {
  chart.dosed = new Set(doses.filter(({ days }) => Object.values(days).some(Boolean)).map(({ hotspot }) => hotspot));
};

const SIGNS = "S: school, H: priority street, ! in a bubble: pupils feel unsafe, T: tasked, must be visited, ×: keep away, brown: the 5 % of street with most risk, orange: the next 10 %.";
export const isMapDrawn = () => Boolean(chart.map);
const isMapSeen = () => isMapDrawn() && one("#map").clientWidth > 0;
const tell = (text) => { one("#map-tells").textContent = text; };

/** Make the map, once what it is in is seen. */
export const openMap = () => {
  const { map } = Object.assign(chart, {
    map: L.map("map", {
      zoomSnap: 0.25, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false,
      inertia: !matchMedia("(prefers-reduced-motion: reduce)").matches, keyboardPanDelta: 24, attributionControl: false,
    }),
  });
  [["ground", 300], ["bands", 350], ["names", 400], ["walk", 450]].forEach(([name, order]) => {
    map.createPane(name).style.zIndex = order;
  });
  chart.patrol = L.layerGroup().addTo(map);
  chart.places = L.layerGroup().addTo(map);
  chart.near = L.layerGroup();
  // Heard at once: a walk may be seen, and the map pressed, before the ground has come.
  map.on("click", ({ latlng }) => chart.onPoint?.([latlng.lat, latlng.lng], "the map"));
  const frame = one("#map");
  frame.setAttribute("aria-label", "Map: arrow keys move it, plus and minus zoom");
  frame.setAttribute("role", "application");
  frame.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !chart.onPoint || event.target !== frame || map.getZoom() === undefined) return;
    event.preventDefault();
    const { lat, lng } = map.getCenter();
    chart.onPoint([lat, lng], "the cross");
  });
};

/** Draw the ground once, when the program has sent it. */
export const drawMap = (answer) => {
  if (isRefused(answer)) return;
  const { map } = chart;
  const { body } = answer;
  chart.frame = body.bounds;
  if (map.getZoom() === undefined) map.fitBounds(chart.frame);
  map.setMaxBounds(L.latLngBounds(chart.frame).pad(0.5));
  chart.hotspots = body.hotspots;
  drawGround(body);
  drawNames(body.labels, body.streets.names);
  drawHotspots(body.hotspots);
  body.schools.forEach(({ urn, name, at }) => {
    sign(at, "S", "school", name).on("click", press(at, name, `${schoolName(urn)}.`)).addTo(map);
  });
  const showNear = () => (map.getZoom() >= NEAR_ZOOM ? chart.near.addTo(map) : chart.near.remove());
  map.on("zoomend", showNear);
  showNear();
  one("#whole-area").addEventListener("click", () => {
    map.fitBounds(chart.frame);
    showPatrol(null);
  });
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(one("#map"));
};

export const takePoints = (handler) => {
  chart.onPoint = handler;
  one("#cross").hidden = !handler;
  one("#map-frame").classList.toggle("taking", Boolean(handler));
};

export const lookAt = (at, text = "") => {
  chart.map.setView(at, Math.max(chart.map.getZoom() ?? 16, 16), { animate: false });
  if (text) tell(text);
};

export const lookAtHotspot = (name) => {
  const found = chart.hotspots.find(({ id }) => id === name);
  if (found) lookAt(found.stop, `Priority street ${hotspotWords(found)}.`);
};

/** Draw a patrol's walk with its numbered stops; null takes it away. */
export const showPatrol = (patrol, { fit = true } = {}) => {
  if (!isMapSeen()) return;
  chart.patrol.clearLayers();
  chart.taken = patrol ? patrol.stops.map(({ stop }) => point(stop)) : [];
  if (!patrol) {
    chart.nameHotspots();
    tell(`${SIGNS} Choose a patrol to see its walk.`);
    return;
  }
  const line = patrol.line.map(point);
  [["#ffffff", 7], ["#0b3d91", 4]].forEach(([color, weight]) => {
    L.polyline(line, { pane: "walk", color, weight, opacity: 1, interactive: false }).addTo(chart.patrol);
  });
  if (line.length) sign(line[0], "G", "school from").addTo(chart.patrol);
  patrol.stops.forEach((stop, row) => {
    const [at, number, name] = [point(stop.stop), row + 1, `Stop ${row + 1}: ${stop.place}${task(stop)}${fear(stop)}`];
    sign(at, `${number}`, `stop${stop.feared ? " feared" : ""}`, name)
      .on("click", press(at, `stop ${number}`, `${name}.`)).addTo(chart.patrol);
  });
  tell(`${patrol.officer}, ${schoolName(patrol.urn)}, ${patrol.start}–${patrol.end}. G: gate, 1, 2 …: stops, ${SIGNS}${keptAway(patrol)}`);
  if (fit && line.length) chart.map.fitBounds(L.latLngBounds(line), { padding: [26, 26], maxZoom: 17, animate: false });
  chart.nameHotspots();
};

/** Draw the tasked places, and one that is being entered. */
export const drawPlaces = ({ tasked }, entering = null) => {
  if (!isMapSeen()) return;
  chart.places.clearLayers();
  tasked.forEach((place) => {
    const title = `${place.place_id}, ${place.must_visit ? "must be visited" : "barred"}: ${place.reason}${place.grid ? ` (${place.grid})` : ""}`;
    sign([place.latitude, place.longitude], place.must_visit ? "T" : "×", place.must_visit ? "must" : "barred", title)
      .on("click", () => tell(`${title}.`)).addTo(chart.places);
  });
  if (entering) sign(entering, "?", "entering").addTo(chart.places);
};
