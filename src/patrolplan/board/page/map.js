// The map next to the week: our own streets, hotspots, schools, tasked places, the patrol shown.

import { make, one } from "./dom.js";
import { say } from "./say.js";
import { fear, schoolName } from "./words.js";

const { L } = window;
const MILLIONTH = 1e6;
const LETTER_PIXELS = 6;
const NEAR_ZOOM = 13;
const CARRIED = 2; // of a hotspot that pupils' reports carry more than recorded crime
const STREET_WIDTHS = [5.5, 4, 2.5, 1.5, 1]; // main roads first, footpaths last
const SMALLEST_RANK = "3"; // service roads and paths: from far away they are but a blot
// First 5 % of all street, up to 15 %, up to 30 %: distinguished by width as well as by colour.
const PRIORITY = {
  2: { color: "#e3a868", weight: 1.5 },
  3: { color: "#c9641f", weight: 3 },
  4: { color: "#7a2303", weight: 5 },
};
const chart = { map: null, hotspots: [], schools: [], patrol: null, places: null, onPoint: null, frame: null, dosed: new Set(), near: null, taken: [], nameHotspots: () => {} };

/** Points of steps of a millionth of a degree, through all lines, split into the lines. */
const unpack = ({ counts, steps }) => {
  let [lat, lng, at] = [0, 0, 0];
  return counts.map((count) => Array.from({ length: count }, () => {
    lat += steps[at];
    lng += steps[at + 1];
    at += 2;
    return [lat / MILLIONTH, lng / MILLIONTH];
  }));
};

/** [longitude, latitude] as Leaflet wants it. */
const point = ([longitude, latitude]) => [latitude, longitude];

/** A small sign on the map: text in a box, circle or diamond. */
const sign = (at, text, kind, title) => L.marker(at, {
  icon: L.divIcon({ className: `sign ${kind}`, html: make("span", { text }), iconSize: null }),
  keyboard: false, interactive: Boolean(title), title, alt: title,
});

/** Where a street or band is drawn: always, or only when zoomed in, where fine lines can be seen. */
const layerOf = (isFine) => (isFine ? chart.near : chart.map);

/** Streets, widest last, each rank once as a light line on a darker one; then priority on them. */
const drawStreets = (lines, rank, priority = "") => {
  const renderer = L.canvas({ pane: "ground", padding: 0.3 });
  const common = { pane: "ground", renderer, interactive: false, lineCap: "round" };
  const width = (digit) => STREET_WIDTHS[Number(digit)];
  const ranks = [...new Set(rank)].sort().reverse();
  const of = (digit) => lines.filter((_, row) => rank[row] === digit);
  const isFine = (digit) => digit >= SMALLEST_RANK;
  ranks.forEach((digit) => L.polyline(of(digit), { ...common, color: "#b3ab9e", weight: width(digit) + 1.5 }).addTo(layerOf(isFine(digit))));
  ranks.forEach((digit) => L.polyline(of(digit), {
    ...common, color: digit === "4" ? "#e9e4da" : "#ffffff", weight: width(digit),
  }).addTo(layerOf(isFine(digit))));
  Object.entries(PRIORITY).forEach(([digit, style]) => {
    const drawn = lines.filter((_, row) => priority[row] === digit);
    L.polyline(drawn, { ...common, lineCap: "butt", ...style }).addTo(layerOf(digit !== "4"));
  });
};

/** Parks, water, railways and stations, where the program sends them. */
const drawGround = (ground = {}) => {
  const renderer = L.canvas({ pane: "below", padding: 0.3 });
  const common = { pane: "below", renderer, interactive: false };
  const area = (kind, fillColor) => ground[kind]?.counts.length
    && L.polygon(unpack(ground[kind]), { ...common, stroke: false, fillColor, fillOpacity: 1 }).addTo(chart.map);
  area("park", "#dbe9cf");
  area("water", "#c3dcec");
  if (ground.railway?.counts.length) {
    L.polyline(unpack(ground.railway), { ...common, color: "#77716a", weight: 2, dashArray: "8 5" }).addTo(chart.map);
  }
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

/** Hotspots as bands; their names where there is room, those with a dose this week first. */
const drawHotspots = (hotspots) => {
  const press = ({ hotspot, place, stop, feared }) => {
    if (chart.onPoint) chart.onPoint(point(stop), `hotspot ${hotspot}`);
    else tell(`Hotspot ${hotspot}: ${place}${fear({ feared })}.`);
  };
  const renderer = L.canvas({ pane: "bands", padding: 0.3 });
  hotspots.forEach((hotspot) => L.polyline(unpack(hotspot.lines), {
    pane: "bands", renderer, color: "#4b1d7a", weight: 8, opacity: 0.25,
  }).on("click", (event) => { L.DomEvent.stop(event); press(hotspot); }).addTo(layerOf(!chart.dosed.has(hotspot.hotspot))));
  const layer = L.layerGroup().addTo(chart.map);
  chart.nameHotspots = () => {
    layer.clearLayers();
    const { map } = chart;
    const bounds = map.getBounds();
    const taken = chart.taken.map((at) => map.latLngToLayerPoint(at));
    const dosed = (name) => chart.dosed.has(name);
    [...hotspots].sort((a, b) => Number(dosed(b.hotspot)) - Number(dosed(a.hotspot))).forEach((hotspot) => {
      const at = point(hotspot.stop);
      if (!bounds.contains(at) || (!dosed(hotspot.hotspot) && map.getZoom() < 15.5)) return;
      const here = map.latLngToLayerPoint(at);
      if (taken.some((other) => Math.abs(other.x - here.x) < 32 && Math.abs(other.y - here.y) < 18)) return;
      taken.push(here);
      const kind = `hotspot${dosed(hotspot.hotspot) ? " dosed" : ""}${hotspot.feared === CARRIED ? " feared" : ""}`;
      sign(at, hotspot.hotspot, kind, `${hotspot.hotspot}: ${hotspot.place}${fear(hotspot)}`)
        .on("click", () => press(hotspot)).addTo(layer);
    });
  };
  chart.map.on("moveend zoomend", chart.nameHotspots);
  chart.nameHotspots();
};

/** Mark the hotspots that have a dose this week. */
export const markDosed = ({ doses }) => {
  chart.dosed = new Set(doses.filter(({ days }) => Object.values(days).some(Boolean)).map(({ hotspot }) => hotspot));
};

/** Schools at their gates. */
const drawSchools = (schools) => schools.forEach(({ urn, name, gate }) => {
  const marker = sign(point(gate), "S", "school", name).addTo(chart.map);
  marker.on("click", () => (chart.onPoint ? chart.onPoint(point(gate), name) : tell(`${schoolName(urn)}.`)));
});

/** Every sign that the map draws. */
const SIGNS = "S: school, H: hotspot, ! in a bubble: pupils feel unsafe, T: tasked, must be visited, ×: keep away, brown, wider: priority street.";

/** What the map shows, below it. */
const tell = (text) => { one("#map-tells").textContent = text; };

/** Show what is fine from near only. */
const showNear = () => {
  const { map, near } = chart;
  if (map.getZoom() >= NEAR_ZOOM) near.addTo(map);
  else near.remove();
};

/** Open the map, with nothing on it yet. */
export const openMap = () => {
  const { map } = Object.assign(chart, {
    map: L.map("map", {
      zoomSnap: 0.25, zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false,
      inertia: !matchMedia("(prefers-reduced-motion: reduce)").matches, keyboardPanDelta: 24, attributionControl: false,
    }),
  });
  [["below", 200], ["ground", 300], ["bands", 350], ["names", 400], ["walk", 450]].forEach(([name, order]) => {
    map.createPane(name).style.zIndex = order;
  });
  chart.patrol = L.layerGroup().addTo(map);
  chart.places = L.layerGroup().addTo(map);
  chart.near = L.layerGroup();
};

/** Draw the ground once, when the program has sent it. */
export const drawMap = ({ status, body }) => {
  const { map } = chart;
  if (status !== 200) {
    say(body.problem || "the map cannot be read", { problem: true });
    return;
  }
  const [west, south, east, north] = body.bounds;
  chart.frame = [[south, west], [north, east]];
  if (map.getZoom() === undefined) map.fitBounds(chart.frame);
  map.setMaxBounds(L.latLngBounds(chart.frame).pad(0.5));
  Object.assign(chart, { hotspots: body.hotspots, schools: body.schools });
  drawGround(body.ground);
  drawStreets(unpack(body.streets.lines), body.streets.rank, body.priority);
  drawNames(body.labels, body.streets.names);
  drawHotspots(body.hotspots);
  drawSchools(body.schools);
  map.on("zoomend", showNear);
  showNear();
  one("#map").setAttribute("aria-label", "Map: arrow keys move it, plus and minus zoom");
  one("#map").setAttribute("role", "application");
  map.on("click", ({ latlng }) => chart.onPoint?.([latlng.lat, latlng.lng], "the map"));
  one("#map").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !chart.onPoint || event.target !== one("#map")) return;
    event.preventDefault();
    const { lat, lng } = map.getCenter();
    chart.onPoint([lat, lng], "the cross");
  });
  one("#whole-area").addEventListener("click", () => {
    chart.map.fitBounds(chart.frame);
    showPatrol(null);
  });
  new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(one("#map"));
};

/** Let points be taken from the map by press or by the cross, or stop doing so. */
export const takePoints = (handler) => {
  chart.onPoint = handler;
  one("#cross").hidden = !handler;
  one("#map-frame").classList.toggle("taking", Boolean(handler));
};

/** Hotspots and schools, to choose a place from: [value, text] pairs with lon,lat as value. */
export const knownPlaces = () => [
  ...chart.hotspots.map(({ hotspot, place, stop }) => [stop.join(","), `${hotspot}: ${place}`]),
  ...chart.schools.map(({ name, gate }) => [gate.join(","), `Gate of ${name}`]),
];

/** Show a place in the middle of the map. */
export const lookAt = (longitude, latitude, text) => {
  chart.map.setView([latitude, longitude], Math.max(chart.map.getZoom() ?? 16, 16), { animate: false });
  if (text) tell(text);
};

/** Show a hotspot in the middle of the map. */
export const lookAtHotspot = (name) => {
  const found = chart.hotspots.find(({ hotspot }) => hotspot === name);
  if (found) lookAt(...found.stop, `Hotspot ${name}: ${found.place}${fear(found)}.`);
};

/** Draw a numbered stop of the patrol shown; its name says whether pupils feel unsafe there. */
const drawStop = (stop, number) => {
  const name = `Stop ${number}: ${stop.place}${fear(stop)}`;
  const at = point(stop.stop);
  sign(at, String(number), `stop${stop.feared ? " feared" : ""}`, name)
    .on("click", () => (chart.onPoint ? chart.onPoint(at, `stop ${number}`) : tell(`${name}.`)))
    .addTo(chart.patrol);
};

/** Draw a patrol's walk with its numbered stops; null takes it away. */
export const showPatrol = (patrol, { fit = true } = {}) => {
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
  patrol.stops.forEach((stop, row) => drawStop(stop, row + 1));
  tell(`${patrol.officer}, ${schoolName(patrol.urn)}, ${patrol.start}–${patrol.end}. G: gate, 1, 2 …: stops, ${SIGNS}`);
  if (fit && line.length) chart.map.fitBounds(L.latLngBounds(line), { padding: [26, 26], maxZoom: 17, animate: false });
  chart.nameHotspots();
};

/** Draw the tasked places, and one that is being entered. */
export const drawPlaces = ({ tasked }, entering = null) => {
  chart.places.clearLayers();
  tasked.forEach((place) => {
    const title = `${place.place_id}, ${place.must_visit ? "must be visited" : "barred"}: ${place.reason}${place.grid ? ` (${place.grid})` : ""}`;
    sign([place.latitude, place.longitude], place.must_visit ? "T" : "×", place.must_visit ? "must" : "barred", title)
      .on("click", () => tell(`${title}.`)).addTo(chart.places);
  });
  if (entering) sign(entering, "?", "entering").addTo(chart.places);
};
