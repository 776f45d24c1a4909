// The board: starts everything, and draws the state that the program sends.

import { carryOn, isEmptyHanded, startCarrying } from "./carry.js";
import { all, button, findFocus, one } from "./dom.js";
import { chosenPatrol, drawGrid, markChosen, startSifting } from "./grid.js";
import { drawDelivered, drawDoses, drawGaps, drawHistory, drawRules } from "./lists.js";
import { drawMap, drawPlaces, isMapDrawn, markDosed, openMap, showPatrol } from "./map.js";
import { drawPlacesList, drawUnmet, leavePlaces } from "./places.js";
import { drawDraw, drawPlanning, startPlanning } from "./planning.js";
import { accept, ask, counted, idOf, isRefused, keepUp, say, send, store, watch } from "./store.js";

let shownTab = "doses";
/** @type {[string, string, (state: any) => any[]][]} */
const TABS = [
  ["doses", "Doses", drawDoses],
  ["gaps", "Gaps", drawGaps],
  ["places", "Places", (state) => drawPlacesList(state, drawList)],
  ["delivered", "Delivered", drawDelivered],
  ["rules", "Rules", (state) => [...drawRules(state), ...drawDraw(state)]],
  ["history", "History", drawHistory],
];

/** Draw the list that is chosen; what had the focus keeps it. */
const drawList = () => {
  const focus = one("#list").contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const [, , draw] = TABS.find(([name]) => name === shownTab);
  const list = one("#list");
  const within = list.scrollTop;
  list.replaceChildren(...draw(store.state).flat(Infinity).filter(Boolean));
  if (within) list.scrollTop = within;
  if (focus) (findFocus(focus, list) ?? list).focus({ preventScroll: true });
};

const openTab = (name) => {
  if (shownTab === "places" && name !== "places") leavePlaces();
  shownTab = name;
  one("#list").scrollTop = 0;
  all("#tabs button").forEach((tab) => {
    const is = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
  });
  one("#list").setAttribute("aria-labelledby", `tab-${name}`);
  drawList();
};

const onTabKey = (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const at = TABS.findIndex(([name]) => name === shownTab);
  openTab(TABS[(at + by + TABS.length) % TABS.length][0]);
  one(`#tab-${shownTab}`).focus();
};

const drawTabs = () => one("#tabs").replaceChildren(...TABS.map(([name, text]) => button(text, () => openTab(name), {
  role: "tab", id: `tab-${name}`, "aria-controls": "list", data: { tab: name },
})));

const draw = (state) => {
  drawGrid(state);
  one(".marking").textContent = state.marking;
  one("#worth").textContent = counted(store.patrols.length, "patrol");
  one("#undo").hidden = one("#redo").hidden = !state.can_undo && !state.can_redo;
  one("#undo").disabled = !state.can_undo;
  one("#redo").disabled = !state.can_redo;
  one("#unsaved").hidden = !state.unsaved;
  one("#open-print").textContent = state.out_of_date.length ? "Print again" : "Print";
  one("#ledger").hidden = !state.ledger_problem;
  one("#ledger").textContent = `Doses delivered are not shown, and none can be entered: ${state.ledger_problem}`;
  if (state.save_problem) one("#unsaved").textContent = `Not saved: ${state.save_problem}`;
  drawPlanning(state);
  drawUnmet(state);
  drawPlaces(state);
  markDosed(state);
  drawList();
  const patrol = chosenPatrol();
  markChosen(patrol ? idOf(patrol) : "");
  showPatrol(patrol, { fit: false });
  carryOn();
};

/** Open or close the map and the lists; the map is drawn once somebody looks at it. */
const toggleMore = async () => {
  const isOpen = one("#beyond").hidden;
  one("#beyond").hidden = !isOpen;
  one("#more").setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) return;
  const isFirst = !isMapDrawn();
  if (isFirst) openMap();
  drawPlaces(store.state);
  drawList();
  showPatrol(chosenPatrol());
  if (getComputedStyle(one("#jump")).display !== "none") one("#beyond").scrollIntoView(); // one column
  if (isFirst) drawMap(await ask("/api/map"));
};

const undo = () => store.state?.can_undo && send("/api/undo");
const redo = () => store.state?.can_redo && send("/api/redo");

const onKey = (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input, select, textarea")) return;
  const name = event.key.toLowerCase();
  const what = name === "z" && !event.shiftKey ? undo : name === "y" || (name === "z" && event.shiftKey) ? redo : null;
  if (!what || one("dialog[open]")) return;
  event.preventDefault();
  what();
};

const start = async () => {
  history.replaceState(null, "", "/");
  drawTabs();
  startCarrying();
  startPlanning();
  startSifting();
  one("#tabs").addEventListener("keydown", onTabKey);
  one("#undo").addEventListener("click", undo);
  one("#redo").addEventListener("click", redo);
  addEventListener("keydown", onKey);
  const answer = await ask("/api/state");
  if (isRefused(answer)) return;
  one("#more").addEventListener("click", toggleMore);
  watch(draw);
  accept(answer.body);
  openTab("doses");
  say("The week is ready.");
  keepUp(isEmptyHanded);
};

start();
