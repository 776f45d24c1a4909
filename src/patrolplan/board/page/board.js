// The board: starts everything, and draws the state that the program sends.

import { ask } from "./calls.js";
import { carryOn, isEmptyHanded, startCarrying } from "./carry.js";
import { meetConflict } from "./conflict.js";
import { drawDelivered } from "./delivered.js";
import { all, make, one } from "./dom.js";
import { drawDraw, foreseenWords } from "./draw.js";
import { drawGrid, markChosen, startSifting } from "./grid.js";
import { drawDoses, drawFairness, drawGaps, drawHistory, drawRules } from "./lists.js";
import { drawMap, drawPlaces, markDosed, openMap, showPatrol } from "./map.js";
import { openAdd, openMenu } from "./menu.js";
import { openOfficer } from "./officer.js";
import { showOutcome } from "./outcome.js";
import { drawPlacesList, leavePlaces } from "./places.js";
import { countUnmet } from "./places_list.js";
import { startPrinting } from "./printing.js";
import { drawPlanning, goodness, startProposals } from "./proposal.js";
import { say } from "./say.js";
import { accept, keepUp, onConflict, send, store, watch } from "./store.js";
import { counted, idOf } from "./words.js";

const view = { tab: "doses", patrol: "" };
/** @type {[string, string, (state: any) => any[]][]} */
const TABS = [
  ["doses", "Doses", drawDoses],
  ["gaps", "Gaps", drawGaps],
  ["fairness", "Fairness", drawFairness],
  ["places", "Places", (state) => drawPlacesList(state, drawList)],
  ["delivered", "Delivered", drawDelivered],
  ["rules", "Rules", (state) => [...drawRules(state), ...drawDraw(state)]],
  ["history", "History", drawHistory],
];

/** Draw the list that is chosen; what had the focus keeps it. */
const drawList = () => {
  const focus = one("#list").contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const [, , draw] = TABS.find(([name]) => name === view.tab);
  const list = one("#list");
  const within = list.scrollTop;
  list.replaceChildren(...draw(store.state).flat().filter(Boolean));
  if (within) list.scrollTop = within;
  if (focus) (one(`#list [data-focus="${CSS.escape(focus)}"]`) ?? one("#list")).focus({ preventScroll: true });
};

/** Choose a list. */
const openTab = (name) => {
  if (view.tab === "places" && name !== "places") leavePlaces();
  view.tab = name;
  one("#list").scrollTop = 0;
  all("#tabs button").forEach((tab) => {
    const is = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
  });
  one("#list").setAttribute("aria-labelledby", `tab-${name}`);
  drawList();
};

/** Arrow keys go from list to list. */
const onTabKey = (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const at = TABS.findIndex(([name]) => name === view.tab);
  openTab(TABS[(at + by + TABS.length) % TABS.length][0]);
  one(`#tab-${view.tab}`).focus();
};

/** Draw the names of the lists. */
const drawTabs = () => one("#tabs").replaceChildren(...TABS.map(([name, text]) => make(
  "button",
  { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "list", data: { tab: name }, on: { click: () => openTab(name), keydown: onTabKey } },
  text, make("span", { class: "count" }),
)));

/** Counts after the names of the lists that hold something to look at. */
const drawCounts = (state) => {
  const { gaps, short, tasked, bans } = state;
  const locks = store.patrols.filter(({ locked }) => locked).length;
  const unmet = countUnmet(state);
  const counts = { gaps: gaps.length + short.length, places: tasked.length, rules: bans.length + locks };
  Object.entries(counts).forEach(([name, count]) => { one(`#tab-${name} .count`).textContent = count ? ` ${count}` : ""; });
  if (unmet) one("#tab-places .count").textContent = ` ${unmet} unmet`;
};

/** Show a patrol's walk on the map, and scroll to it where it is out of sight. */
const showOnMap = (patrol, { go = false } = {}) => {
  view.patrol = idOf(patrol);
  markChosen(view.patrol);
  showPatrol(patrol);
  if (!go) return;
  one("#map-frame").scrollIntoView({ block: "nearest" });
  one("#map").focus({ preventScroll: true });
};

/** The marking, how good the week is, and how well it can be foreseen. */
const drawHeader = (state) => {
  one(".marking").textContent = state.marking;
  one("#worth").textContent = [`${counted(store.patrols.length, "patrol")}.`, goodness(state), foreseenWords(state)].filter(Boolean).join(" ");
};

/** Draw a new state. */
const draw = (state) => {
  drawGrid(state);
  drawHeader(state);
  one("#undo").disabled = !state.can_undo;
  one("#redo").disabled = !state.can_redo;
  one("#unsaved").hidden = !state.unsaved;
  one("#open-print").textContent = state.out_of_date?.length ? "Print again" : "Print";
  one("#ledger").hidden = !state.ledger_problem;
  one("#ledger").textContent = `Doses delivered are not shown, and none can be entered: ${state.ledger_problem}`;
  if (state.save_problem) one("#unsaved").textContent = `Not saved: ${state.save_problem}`;
  drawPlanning(state);
  drawCounts(state);
  drawPlaces(state);
  markDosed(state);
  drawList();
  const patrol = store.patrols.find((row) => idOf(row) === view.patrol);
  if (view.patrol && !patrol) view.patrol = "";
  markChosen(view.patrol);
  showPatrol(patrol ?? null, { fit: false });
  carryOn();
};

/** Undo the last change. */
const undo = () => store.state?.can_undo && send("/api/undo", {}, "Undo the last change");

/** Redo the change that was undone last. */
const redo = () => store.state?.can_redo && send("/api/redo", {}, "Redo the change undone");

/** Undo and redo by key. */
const onKey = (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.matches("input, select, textarea")) return;
  const name = event.key.toLowerCase();
  const what = name === "z" && !event.shiftKey ? undo : name === "y" || (name === "z" && event.shiftKey) ? redo : null;
  if (!what || one("dialog[open]")) return;
  event.preventDefault();
  what();
};

/** Let the browser paint what is on the page before the rest is worked out. */
const nextFrame = () => new Promise((go) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go)));
});

/** Start. */
const start = async () => {
  history.replaceState(null, "", "/");
  drawTabs();
  onConflict(meetConflict);
  startCarrying({ openMenu: (patrol) => openMenu(patrol, showOnMap), openAdd, openOfficer });
  startProposals(showOutcome);
  startPrinting();
  startSifting();
  one("#undo").addEventListener("click", undo);
  one("#redo").addEventListener("click", redo);
  addEventListener("keydown", onKey);
  const { status, body } = await ask("/api/state");
  if (status !== 200) {
    say(body.problem || "the week cannot be read", { problem: true });
    return;
  }
  openMap();
  watch(draw);
  accept(body);
  openTab("doses");
  say("The week is ready.");
  keepUp(isEmptyHanded);
  await nextFrame();
  drawMap(await ask("/api/map"));
};

start();
