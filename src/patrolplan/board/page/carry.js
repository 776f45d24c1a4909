// Picking up, carrying and dropping patrols and officers: by mouse and by keyboard.

import { all, findFocus, one } from "./dom.js";
import { neighbour, patrolAt, setStop } from "./grid.js";
import { openAdd, openMenu, openOfficer } from "./menu.js";
import { change, check, idOf, keyOf, patrolName, say, store, verdict } from "./store.js";

/** @type {Record<string, any>} */
const hand = { held: null, target: null, drag: null, dragged: false, checks: 0 };
const FAR_ENOUGH = 6;
const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
export const isEmptyHanded = () => !hand.held && !hand.drag;

/** The officer, patrol or cell that something dropped on an element goes to. @returns {any} */
const targetOf = (element) => {
  const officer = element?.closest?.("[data-officer]")?.dataset.officer;
  if (officer) return { officer };
  const cell = element?.closest?.(".cell");
  if (!cell) return null;
  const patrol = patrolAt(element) ?? patrolAt(one("[data-patrol]", cell));
  return { urn: cell.dataset.urn, date: cell.dataset.date, patrol };
};

/** Give a patrol to an officer; where they have another one that day, the two swap. */
const giveTo = (patrol, officer) => {
  if (patrol.officer === officer) return null;
  const other = store.patrols.find((row) => row.officer === officer && row.date === patrol.date && row.window === patrol.window);
  if (other) return { kind: "swap", a: keyOf(patrol), b: keyOf(other) };
  return { kind: "move", from: keyOf(patrol), to: { ...keyOf(patrol), officer } };
};

/** The change that dropping here would make; null for none. @returns {any} */
const changeFor = (held, target) => {
  if (!held || !target || (held.officer && target.officer)) return null;
  const { urn, date, patrol } = target;
  if (held.officer) {
    if (patrol) return giveTo(patrol, held.officer);
    return { kind: "add", officer: held.officer, urn, date, window: store.state.windows[0], variant: null };
  }
  if (target.officer) return giveTo(held.patrol, target.officer);
  if (held.patrol.urn === urn && held.patrol.date === date) return null;
  if (patrol) return { kind: "swap", a: keyOf(held.patrol), b: keyOf(patrol) };
  return { kind: "move", from: keyOf(held.patrol), to: { ...keyOf(held.patrol), urn, date } };
};

const heldName = ({ patrol, officer }) => (patrol ? patrolName(patrol) : officer);

const mark = (element, state = "") => {
  all(".target").forEach((old) => old.classList.remove("target", "can", "cannot"));
  element?.closest?.("[data-officer], .cell")?.classList.add("target", ...(state ? [state] : []));
};

/** Mark what is held, and the days on which its officer is off duty. */
const markHeld = () => {
  const id = hand.held?.patrol ? idOf(hand.held.patrol) : null;
  const name = hand.held ? hand.held.officer ?? hand.held.patrol.officer : null;
  const hours = store.state.officers.find(({ officer }) => officer === name)?.hours ?? {};
  document.body.classList.toggle("carrying", Boolean(hand.held));
  all("#grid .chip").forEach((chip) => chip.classList.toggle("held", chip.dataset.patrol === id));
  all("#grid .cell").forEach((cell) => cell.classList.toggle("off", Boolean(name) && hours[cell.dataset.date] === ""));
};

export const pickUp = (held, element) => {
  hand.held = held;
  markHeld();
  mark(element);
  say(`Picked up ${heldName(held)}. Arrow keys choose a cell, Enter drops, Escape puts back; or press a cell.`);
};

const letGo = () => {
  Object.assign(hand, { held: null, target: null, checks: hand.checks + 1 });
  mark(null);
  markHeld();
};

const putBack = () => {
  if (!hand.held) return;
  const name = heldName(hand.held);
  letGo();
  say(`Put back: ${name} stays.`);
};

/** Drop here: make the change, or say why it cannot be made; then the focus is on the patrol that moved. */
const drop = async (element) => {
  const what = changeFor(hand.held, targetOf(element));
  if (!what) return putBack();
  letGo();
  if (!await change(what)) return;
  const at = what.to ?? (what.kind === "swap" ? { ...what.b, officer: what.a.officer } : what);
  const moved = findFocus(`p|${idOf(at)}`);
  if (!moved) return;
  setStop(moved);
  moved.focus({ preventScroll: true });
};

/** Check at once whether it could be dropped here, and say so. */
const askHere = (element) => {
  const what = changeFor(hand.held, targetOf(element));
  const number = (hand.checks += 1);
  mark(element);
  if (!what) return;
  setTimeout(async () => {
    if (number !== hand.checks) return;
    const answer = await check(what);
    if (number !== hand.checks || !hand.held) return;
    mark(element, answer.ok ? "can" : "cannot");
    say(`${what.kind === "swap" ? "Swap. " : ""}${verdict(answer)}.`);
  }, 90);
};

/** A press that may become a drag; fingers scroll, and pick up in the menu. */
const press = (event) => {
  hand.dragged = false;
  if (event.button !== 0 || event.pointerType === "touch" || hand.held) return;
  const source = event.target.closest(".hold, .officer");
  if (!source) return;
  const held = source.dataset.officer ? { officer: source.dataset.officer } : { patrol: patrolAt(source) };
  hand.drag = { held, id: event.pointerId, x: event.clientX, y: event.clientY, moved: false, over: null };
};

/** A press that moves far enough is a drag; what lies under it is checked. */
const drag = (event) => {
  const { drag: now } = hand;
  if (!now || event.pointerId !== now.id) return;
  if (!now.moved) {
    if (Math.hypot(event.clientX - now.x, event.clientY - now.y) < FAR_ENOUGH) return;
    now.moved = true;
    pickUp(now.held, null);
  }
  event.preventDefault();
  const element = document.elementFromPoint(event.clientX, event.clientY);
  const over = element?.closest?.("[data-officer], .chip, .cell") ?? null;
  if (over === now.over) return;
  now.over = over;
  askHere(over);
};

const release = (event) => {
  const { drag: now } = hand;
  if (!now || event.pointerId !== now.id) return;
  hand.drag = null;
  if (!now.moved) return;
  hand.dragged = true; // the click that ends a drag belongs to it
  drop(document.elementFromPoint(event.clientX, event.clientY));
};

const stopDrag = () => {
  const moved = hand.drag?.moved;
  hand.drag = null;
  if (moved) putBack();
};

/** Add a patrol at the school of a row; on the day of the cell where it is one. */
const addAt = (place) => openAdd(place.closest("tr").dataset.urn, place.closest(".cell")?.dataset.date);

const onKey = (event) => {
  const { ctrlKey, altKey, metaKey, key, target } = event;
  if (ctrlKey || altKey || metaKey) return;
  if (key === "Escape" && !isEmptyHanded()) {
    event.preventDefault();
    if (hand.drag) stopDrag();
    else putBack();
    return;
  }
  const place = target.closest?.(".hold, .empty, .add, .officer");
  if (!place) return;
  const officer = place.matches(".officer") && place.dataset.officer;
  if (ARROWS[key] && place.closest("#grid")) {
    event.preventDefault();
    const next = neighbour(place, ...ARROWS[key]);
    if (!next) return;
    setStop(next);
    next.focus();
    if (hand.held) askHere(next);
  } else if (key === "Enter" || key === " ") {
    event.preventDefault();
    if (hand.held) drop(place);
    else if (place.matches(".empty, .add")) addAt(place);
    else pickUp(officer ? { officer } : { patrol: patrolAt(place) }, place);
    if (officer && hand.held?.officer) one('#grid [tabindex="0"]')?.focus();
  } else if (key.toLowerCase() === "m") {
    event.preventDefault();
    if (officer) openOfficer(officer);
    else openMenu(patrolAt(place));
  }
};

const onClick = ({ target }) => {
  const { dragged } = hand;
  hand.dragged = false;
  const place = target.closest(".hold, .add, .officer, .cell");
  if (dragged || !place) return;
  if (hand.held) drop(place);
  else if (place.matches(".hold")) openMenu(patrolAt(place));
  else if (place.matches(".add")) addAt(place);
  else if (place.matches(".officer")) openOfficer(place.dataset.officer);
};

export const startCarrying = () => {
  const week = one("#week");
  week.addEventListener("pointerdown", press);
  addEventListener("pointermove", drag);
  addEventListener("pointerup", release);
  addEventListener("pointercancel", stopDrag);
  addEventListener("keydown", onKey);
  week.addEventListener("click", onClick);
  week.addEventListener("dragstart", (event) => event.preventDefault());
  week.addEventListener("focusin", ({ target }) => {
    if (target.matches(".hold, .empty, .add")) setStop(target);
    if (hand.held && !hand.drag && target.matches(".officer") && target !== hand.target) {
      hand.target = target;
      askHere(target);
    }
  });
};

/** After the week was drawn again, mark what is held again, or let go of a patrol that is gone. */
export const carryOn = () => {
  if (!hand.held) return;
  const id = hand.held.patrol && idOf(hand.held.patrol);
  if (id) hand.held.patrol = store.patrols.find((patrol) => idOf(patrol) === id);
  if (id && !hand.held.patrol) letGo();
  else markHeld();
};
