"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const [[south, west], [north, east]] = data.bounds;
  const map = L.map("map_patrol", {
    center: [(south + north) / 2, (west + east) / 2], zoom: 15, preferCanvas: true, zoomSnap: 0.25,
  });
  window.map_patrol = map;
  if (data.tiles) L.tileLayer(data.tiles.url, { attribution: data.tiles.credit, maxNativeZoom: 19 }).addTo(map);
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // Read out by a screen reader, and shown where the map alone does not make it clear.
  const say = (text, { seen = false } = {}) => {
    one("#said").textContent = text;
    one("#said").classList.toggle("unseen", !seen);
  };

  // ---- panes and styles -------------------------------------------------------------------
  Object.entries({ ground: 380, beside: 420, found: 425, ink: 430, position: 640 }).forEach(([name, zIndex]) => {
    Object.assign(map.createPane(name).style, { zIndex }, zIndex > 420 && { pointerEvents: "none" });
  });
  const othersInk = L.svg({ pane: "beside", padding: 0.2 });
  // One canvas for everything below: on paper a second one would cover the first.
  const ground = { pane: "ground", renderer: L.canvas({ pane: "ground", padding: 0.2 }), interactive: false };
  // The same colours, widths and dashes as the samples in the legend.
  const CLASSES = { 3: { color: "#b8480b", weight: 6 }, 4: { color: "#7a2303", weight: 8 } };
  const DIFFER = {
    1: { color: "#00594f", weight: 6, dashArray: "3 5" },
    2: { color: "#a3174f", weight: 5, dashArray: "12 4" },
  };
  let walk = null; // the companion's bar, once it is there
  const NONE = { patrol: null, points: [], legs: [], markers: [], away: [], tasked: [] };
  const chosen = { ...NONE };

  // ---- ground -----------------------------------------------------------------------------
  const pieces = unpack(data.streets.lines);
  const { drawLand, drawStreets, setWidths: widen, withDigit, scale, flat } = makeGround({ map, data, pieces, ground });
  drawLand();
  // ---- hotspots: bands under the streets, so that the colours above stay as they are -------
  const hotspotItems = new Map(all("li[data-hotspot]").map((item) => [item.dataset.hotspot, item]));
  const popupOf = (id) => {
    const copy = document.createElement("div");
    const title = document.createElement("strong");
    const item = hotspotItems.get(id);
    title.textContent = `${id}: ${one(".text", item).textContent}`;
    copy.append(title, one(".why", item).cloneNode(true), one(".sure", item).cloneNode(true));
    return copy;
  };
  const shown = { schools: true, names: true, hotspots: true };
  const open = (at, content) => {
    const room = { autoPanPaddingTopLeft: [10, 62], autoPanPaddingBottomRight: [10, 10] };
    const maxHeight = Math.max(120, map.getSize().y - 190);
    L.popup({ maxWidth: 270, maxHeight, ...room }).setLatLng(at).setContent(content).openOn(map);
  };
  const edges = data.hotspots.filter(({ edge }) => edge).map(({ edge }) => (
    L.polyline(unpack(edge), { ...ground, interactive: false, color: "#555", weight: 2, dashArray: "7 4" }).addTo(map)
  ));
  const bands = data.hotspots.map(({ id, lines }) => {
    const layer = L.polyline(unpack(lines), {
      ...ground, interactive: true, color: "#4b1d7a", lineCap: "round", bubblingMouseEvents: true,
    }).addTo(map);
    layer.on("click", ({ latlng }) => shown.hotspots && open(latlng, popupOf(id)));
    return { id, layer };
  });
  const setBands = () => {
    const visited = new Set(chosen.patrol ? chosen.patrol.hotspots : []);
    edges.forEach((edge) => edge.setStyle({ opacity: shown.hotspots ? 0.8 : 0 }));
    bands.forEach(({ id, layer }) => {
      const opacity = visited.has(id) ? 0.6 : 0.18;
      layer.setStyle({ opacity: shown.hotspots ? opacity : 0, weight: 6 + 12 * scale() });
    });
  };
  const visit = (at, content, name) => {
    map.setView(at, Math.max(map.getZoom(), 16.5), { animate: false });
    open(at, content);
    say(`Map moved to ${name}.`);
  };
  const showHotspot = (id) => {
    const { stop } = data.hotspots.find((hotspot) => hotspot.id === id);
    visit(stop, popupOf(id), `priority street ${id}`);
  };

  // ---- streets ----------------------------------------------------------------------------
  const streetLayers = drawStreets();
  let voiceLayers = [];
  const setWidths = () => widen([...streetLayers, ...voiceLayers]);

  // ---- streets coloured by a voice --------------------------------------------------------
  const coloured = L.layerGroup().addTo(map);
  const colour = (voice) => {
    coloured.clearLayers();
    const styles = voice === "differ" ? DIFFER : CLASSES;
    const digits = data.voices[voice];
    voiceLayers = !digits ? [] : Object.entries(styles).map(([digit, style]) => {
      const layer = L.polyline(withDigit(digits, digit), { ...ground, ...flat, ...style });
      return { layer: layer.addTo(coloured), weight: style.weight };
    });
    setWidths();
    all("[data-legend]").forEach((legend) => {
      const wanted = voice === "differ" ? "differ" : "classes";
      legend.hidden = voice === "none" || legend.dataset.legend !== wanted;
    });
  };

  // ---- schools and the chosen patrol ------------------------------------------------------
  const store = makeStore(data.plan);
  const dayOption = (day) => one(`[data-filter="day"] option[value="${day}"]`);
  const nameDay = (day) => dayOption(day)?.textContent ?? day;
  // The chosen day and officer of a week; a plan has none.
  const filters = all("[data-filter]");
  const wanted = () => data.patrols.filter((patrol) => filters.every(({ dataset, value }) => !value || patrol[dataset.filter] === value));
  const patrolsOf = (urn) => wanted().filter((patrol) => patrol.urn === urn);
  const schools = L.layerGroup().addTo(map);
  const showSchools = (urn) => {
    schools.clearLayers();
    data.schools.filter((school) => school.urn !== urn).forEach((school) => {
      const [patrol] = patrolsOf(school.urn);
      const label = patrol ? `${school.name}: show its patrol` : `${school.name}: no patrol planned`;
      const marker = makeSign(school.at, "S", label, "school", 0, 24).addTo(schools);
      marker.on("click", () => (patrol ? choose(patrol.id) : say(label, { seen: true })));
    });
  };
  const stops = L.layerGroup().addTo(map);
  const fragment = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return location.hash.slice(1);
    }
  };
  const article = (id) => all(".patrol").find((item) => item.dataset.patrol === id);
  const go = (number, { move = true, animate = !calm } = {}) => {
    all(".here").forEach((item) => item.classList.remove("here"));
    all("[aria-current]").forEach((item) => item.removeAttribute("aria-current"));
    const button = one(`[data-stop="${number}"]`, article(chosen.patrol.id));
    button.setAttribute("aria-current", "location");
    button.closest(".stop").classList.add("here");
    chosen.markers[number].getElement()?.classList.add("here");
    if (move) {
      map.setView(chosen.points[number], Math.max(map.getZoom(), 17), { animate });
      say(`Map moved to ${number ? `stop ${number}` : "the school gate"}.`);
    } else {
      button.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    }
  };
  // Places to keep away from, in the words of the list.
  const awayText = (number) => one(`[data-away="${number}"] .text`, article(chosen.patrol.id)).textContent;
  const wordsOf = (text) => Object.assign(document.createElement("p"), { textContent: text });
  // The other patrols of the choice, thin, so that a day is seen as a whole.
  const others = L.layerGroup().addTo(map);
  const showOthers = () => {
    others.clearLayers();
    if (!filters.length) return;
    wanted().filter((patrol) => patrol !== chosen.patrol).forEach((patrol) => {
      const style = { pane: "beside", renderer: othersInk, color: "#0b3d91", weight: 2.5, opacity: 0.75, dashArray: "7 4" };
      L.polyline(unpack(patrol.legs), style).addTo(others).on("click", () => choose(patrol.id));
    });
  };
  const options = all("option", one("#patrol-choice"));
  const offer = () => {
    const ids = new Set(wanted().map(({ id }) => id));
    one("#patrol-choice").replaceChildren(...options.filter(({ value }) => ids.has(value)));
  };
  const showChosen = () => {
    all(".patrol").forEach((item) => { item.hidden = item.dataset.patrol !== chosen.patrol?.id; });
    all(".here").forEach((item) => item.classList.remove("here"));
    map.closePopup();
    showSchools(chosen.patrol?.urn);
    showOthers();
    setBands();
    if (chosen.patrol) fitPatrol();
    ink.redraw();
    walk?.preview(chosen.patrol);
  };
  const chooseNone = () => {
    Object.assign(chosen, NONE);
    stops.clearLayers();
    showChosen();
    say("No patrol is planned for this day and officer.", { seen: true });
  };
  const filter = () => {
    offer();
    const patrols = wanted();
    if (!patrols.length) chooseNone();
    else choose((patrols.includes(chosen.patrol) ? chosen.patrol : patrols[0]).id);
  };
  const fit = (points) => {
    // Room for the buttons above, with the bubble of a stop below them, and for the scale.
    const room = { paddingTopLeft: [22, 84], paddingBottomRight: [44, 34] };
    map.fitBounds(L.latLngBounds(points), { ...room, maxZoom: 17.5, animate: false });
  };
  const fitPatrol = () => fit([...chosen.points, ...chosen.legs.flat()]);
  const choose = (id, { linked = true } = {}) => {
    const patrol = data.patrols.find((candidate) => candidate.id === id);
    if (!patrol) return;
    if (!wanted().includes(patrol)) {
      filters.forEach((select) => { select.value = ""; });
      offer();
    }
    Object.assign(chosen, { patrol, points: unstep(patrol.at), legs: unpack(patrol.legs), away: unstep(patrol.keep_away) });
    one("#patrol-choice").value = id;
    stops.clearLayers();
    chosen.markers = chosen.points.map((at, number) => {
      const marker = (number ? makeStopSign(at, number, patrol.stops[number - 1]) : makeStartSign(at)).addTo(stops);
      marker.on("click", () => go(number, { move: false }));
      return marker;
    });
    chosen.tasked = patrol.stops.flatMap(({ tasked }, row) => unstep(tasked).map((at) => ({ at, row })));
    chosen.tasked.forEach(({ at, row }) => {
      const item = one(`[data-stop="${row + 1}"]`, article(id)).closest(".stop");
      const words = one(".tasked .text", item).textContent;
      makeTaskedSign(at, chosen.points[row + 1], words).addTo(stops).on("click", () => open(at, wordsOf(words)));
    });
    chosen.away.forEach((at, number) => {
      makeSign(at, "×", awayText(number), "away", 950, 26).addTo(stops).on("click", () => open(at, wordsOf(awayText(number))));
    });
    if (highlight) highlight.remove();
    showChosen();
    say(`Patrol of ${one("h2", article(id)).textContent}.`);
    // In a notebook the map is written into its frame, where a fragment would open the notebook's page.
    const inFrame = location.protocol === "about:";
    if (linked && fragment() !== id && !inFrame) location.replace(`#${encodeURIComponent(id)}`);
  };

  const listUnwritten = (names) => {
    one("#also").hidden = !names.length;
    one("#also").textContent = `Also walked: ${names.join(", ")}`;
  };
  const ink = makeInk({ map, data, pieces, chosen, shown, listUnwritten });

  // ---- search -----------------------------------------------------------------------------
  let highlight = null;
  const showStreet = (name) => {
    const row = data.streets.names.indexOf(name);
    const lines = pieces.filter((_, piece) => data.streets.name[piece] === row);
    if (highlight) highlight.remove();
    highlight = L.polyline(lines, {
      pane: "found", renderer: L.svg({ pane: "found" }), interactive: false, color: "#000", weight: 3, dashArray: "2 6",
    }).addTo(map);
    map.fitBounds(highlight.getBounds(), { padding: [30, 30], maxZoom: 17.5, animate: false });
    say(`${name} is drawn with a dotted black line.`, { seen: true });
  };
  makeSearch([
    ...data.schools.map((school) => ({
      text: school.name,
      kind: "School",
      act: () => {
        const [patrol] = patrolsOf(school.urn);
        if (patrol) choose(patrol.id);
        else {
          map.setView(school.at, 17, { animate: false });
          say(`No patrol is planned for ${school.name}.`, { seen: true });
        }
      },
    })),
    ...data.streets.names.filter((name) => name).map((name) => ({ text: name, kind: "Street", act: () => showStreet(name) })),
    ...data.hotspots.map(({ id }) => ({
      text: `${id} ${one(".text", hotspotItems.get(id)).textContent}`, kind: "Priority street", act: () => showHotspot(id),
    })),
  ], say);

  // ---- controls ---------------------------------------------------------------------------
  one("#patrol-choice").addEventListener("change", (event) => choose(event.target.value));
  filters.forEach((select) => select.addEventListener("change", () => {
    if (select.dataset.filter === "officer") store.writeOfficer(select.value);
    filter();
  }));
  all("[data-stop]").forEach((button) => {
    button.addEventListener("click", () => go(Number(button.dataset.stop)));
  });
  all("[data-away]").forEach((button) => button.addEventListener("click", () => {
    const number = Number(button.dataset.away);
    visit(chosen.away[number], wordsOf(awayText(number)), "a place to keep away from");
  }));
  all(".hotspot > .place").forEach((button) => {
    button.addEventListener("click", () => showHotspot(button.parentElement.dataset.hotspot));
  });
  one("#show-patrol").addEventListener("click", () => chosen.patrol && fitPatrol());
  one("#show-area").addEventListener("click", () => map.fitBounds(data.bounds, { animate: false }));
  one("#voices").addEventListener("change", (event) => colour(event.target.value));
  one("#overlays").addEventListener("change", ({ target }) => {
    shown[target.value] = target.checked;
    if (target.value === "schools") map[target.checked ? "addLayer" : "removeLayer"](schools);
    if (target.value === "hotspots") setBands();
    else ink.redraw();
  });
  // Today's patrol of the officer who was chosen last: the one that is not over yet, or the last.
  const openToday = (officer) => {
    const start = { day: dateOf(Date.now()), officer: officer || store.readOfficer() };
    filters.forEach((select) => {
      select.value = start[select.dataset.filter];
      if (select.selectedIndex < 0) select.value = "";
    });
    offer();
    const now = (Date.now() - new Date().setHours(0, 0, 0, 0)) / 60000;
    const [patrols, isToday] = [wanted(), filters[0]?.value === start.day];
    const patrol = isToday ? patrols.find(({ end }) => end > now) ?? patrols.at(-1) : patrols[0];
    if (patrol) choose(patrol.id, { linked: !filters.length });
    else chooseNone();
  };
  const fromAddress = () => {
    const id = fragment();
    if (chosen.patrol && chosen.patrol.id === id) return;
    const linked = data.patrols.find((patrol) => patrol.id === id);
    const today = dateOf(Date.now());
    // A page that is opened again on the next day of the week is for that day.
    const isOld = !chosen.patrol && linked?.day && linked.day < today && dayOption(today);
    if (linked && !isOld) choose(id);
    else if (!chosen.patrol && data.patrols.length) openToday(linked?.officer);
    if (isOld) say(`The address is that of ${nameDay(linked.day)}; this is today, ${nameDay(today)}.`, { seen: true });
    else if (id && chosen.patrol?.id !== id && !document.getElementById(id)) {
      say(`There is no patrol "${id}" on this map.`, { seen: true });
    }
  };
  addEventListener("hashchange", fromAddress);
  // A patrol that is walked may be another than the one that is looked at; its bar takes room.
  const resize = () => {
    const { clientWidth, clientHeight } = map.getContainer();
    if (!map.getSize().equals([clientWidth, clientHeight])) map.invalidateSize({ animate: false, pan: false });
  };
  const show = (id) => {
    resize();
    choose(id);
  };
  const showStop = (id, stop) => {
    show(id);
    go(stop, { animate: false }); // the next tap may come before an animation ends
  };
  const showLeg = (id, stop) => {
    show(id);
    const places = chosen.points;
    go(stop < places.length ? stop : 0, { move: false });
    const leg = chosen.legs[chosen.legs.length - places.length + stop - 1];
    if (leg) fit(leg);
  };

  map.attributionControl.setPrefix("Leaflet").addAttribution(data.credit);
  map.zoomControl.setPosition("bottomright");
  L.control.scale({ imperial: false }).addTo(map);
  map.getContainer().setAttribute("role", "group");
  map.getContainer().setAttribute("aria-label", "Map: arrow keys move it, plus and minus zoom");
  map.on("zoomend", setWidths);
  map.on("zoomend", setBands);
  colour("joined");
  ink.addTo(map);
  walk = makeCompanion({ data, say, store, nameDay, showPatrol: show, showStop, showLeg, titleOf: (id) => one("h2", article(id)).textContent });
  fromAddress();
  one("#begin").addEventListener("click", () => chosen.patrol && walk.begin(chosen.patrol));
  makePosition({ map, say, button: one("#position") });
  new ResizeObserver(resize).observe(map.getContainer());
  if (!chosen.patrol) map.fitBounds(data.bounds, { animate: false });
})();
