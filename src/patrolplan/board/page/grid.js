// The week as schools by days, the officers below it, and where the keyboard focus is.

import { all, button, findFocus, make, one } from "./dom.js";
import { appointmentName, counted, dayName, idOf, named, patrolName, plain, routeName, shortDay, store, windowOf } from "./store.js";

const FEW = 15;
const THINGS = ".hold, .empty, .add";
const shown = { day: 0 };
let chosen = "";

const patrolLabel = (patrol) => [
  `${patrolName(patrol)}${windowOf(patrol)}`, `${patrol.start} to ${patrol.end}`, routeName(patrol),
  patrol.company && `with ${patrol.company}`,
  patrol.locked && "locked", patrol.lent && "lent to this school", patrol.delivered && "delivered",
].filter(Boolean).join(", ");

/** A patrol: what takes hold of it or opens its menu, and what is seen of it. */
const chip = (patrol) => {
  const id = idOf(patrol);
  const further = [
    store.state.windows.length > 1 && plain(patrol.window), patrol.locked && "locked", patrol.delivered && "delivered",
    patrol.lent && "lent to this school", patrol.company && `with ${patrol.company}`,
  ].filter(Boolean);
  const seen = make(
    "span", { class: `chip${patrol.locked ? " locked" : ""}${id === chosen ? " chosen" : ""}`, data: { patrol: id } },
    make(
      "span", { class: "chip-text" },
      make(
        "span", { class: "first" },
        make("span", { class: "who", text: patrol.officer }),
        patrol.variants > 1 && make("span", { class: "route", text: `R${patrol.variant + 1}` }),
      ),
      make("span", { class: "when", text: `${patrol.start}–${patrol.end}` }),
      further.map((text) => make("span", { class: "further", text })),
    ),
  );
  return { kind: "hold", focus: `p|${id}`, title: patrolLabel(patrol), label: patrolLabel(patrol), patrol: id, seen };
};

/** A cell of the week. What is alone in it is the cell itself, not a button within it; without a patrol it is plain. */
const cellOf = (school, { date }, day) => {
  const { state, why, patrols } = school.cells[date];
  const reason = named(why);
  const isClosed = state === "closed";
  const nobody = {
    kind: "empty", focus: `c|${date}|${school.urn}`, title: reason || null,
    label: `${school.name}, ${dayName(date)}: ${isClosed ? "closed" : "nobody"}${reason && `: ${reason}`}. Enter adds a patrol`,
    seen: make("span", { text: isClosed ? "Closed" : "–" }),
  };
  const things = patrols.length ? patrols.map(chip) : [nobody];
  const draw = (tag, { kind, focus, title, label, patrol, seen }, place = { class: "", role: null, data: {} }) => make(
    tag, { ...place, class: `${kind} ${place.class}`, tabindex: "-1", title, "aria-label": label, data: { focus, ...(patrol && { patrol }), ...place.data } }, seen,
  );
  const cell = { class: `cell ${state}${day === shown.day ? " shown" : ""}`, role: "gridcell", data: { urn: school.urn, date } };
  return things.length === 1 ? draw("td", things[0], cell) : make("td", cell, things.map((thing) => draw("button", thing)));
};

/** A school, with the button that adds a patrol; its row is announced without the button. */
const nameOf = ({ urn, name, bell, patrols, least }) => {
  const short = patrols < least;
  const count = short ? `${patrols} of ${least}, too few` : counted(patrols, "patrol");
  return make("th", { scope: "row", "aria-label": `${name}, bell ${bell}, ${count}` }, make(
    "div", { class: "school" },
    make(
      "span", {},
      make("span", { class: "school-name", text: name, title: name }),
      make("span", { class: "soft school-about" }, `bell ${bell} · `, make("span", { class: short ? "short" : null, text: count })),
    ),
    make("button", { type: "button", class: "add", tabindex: "-1", "aria-label": `Add a patrol at ${name}`, data: { focus: `a|${urn}` } }, "+", make("span", { text: " Add" })),
  ));
};

/** The day that a phone shows, where all others are hidden. */
export const shownDay = () => store.state.week.days[shown.day].date;

const drawDays = ({ days }) => one("#days").replaceChildren(...days.map((day, number) => button(day.name, () => showDay(number), {
  "aria-label": dayName(day.date), "aria-pressed": String(number === shown.day), data: { day: number, focus: `d|${number}` },
})));

const showDay = (number) => {
  const { days } = store.state.week;
  shown.day = Math.max(0, Math.min(days.length - 1, number));
  all("#days button").forEach((each, at) => each.setAttribute("aria-pressed", String(at === shown.day)));
  all("#grid [data-date]").forEach((cell) => cell.classList.toggle("shown", cell.dataset.date === days[shown.day].date));
};

/** The officers, to drag onto a cell, with their patrols of the maximum. */
const drawCrew = (state) => {
  const card = (officer) => {
    const full = officer.patrols >= officer.max_patrols;
    const text = `${officer.patrols}/${officer.max_patrols}`;
    const role = officer.role === "officer" ? "" : officer.role;
    const other = store.state.week.days.flatMap(({ date }) => [ // "Fri: court 09:00–11:00"
      ...(officer.absent.includes(date) ? [`${shortDay(date)}: away`] : []),
      ...(officer.appointments[date] ?? []).map((each) => `${shortDay(date)}: ${appointmentName(each)}`),
    ]);
    return make(
      "button",
      {
        type: "button", class: `officer${full ? " full" : ""}`, data: { officer: officer.officer, focus: `o|${officer.officer}` },
        "aria-label": [officer.officer, role, `${officer.patrols} of ${officer.max_patrols} patrols${full ? ", no more this week" : ""}`, ...other].filter(Boolean).join(", "),
        title: other.join("\n") || null,
      },
      make(
        "span", { class: "officer-text" },
        make("span", { class: "first" }, make("span", { class: "who", text: officer.officer }), make("span", { class: "load", text: [role, full ? `${text} full` : text].filter(Boolean).join(", ") })),
        other.length && make("span", { class: "further", text: other.length > 1 ? `${other[0]}, ${other.length - 1} more` : other[0] }),
      ),
    );
  };
  one("#crew").replaceChildren(make("h2", { text: "Officers" }), ...state.officers.map(card));
};

/** Draw the week again; what had the focus keeps it. */
export const drawGrid = (state) => {
  const focus = document.activeElement?.dataset?.focus;
  const { days } = state.week;
  const head = make("thead", {}, make(
    "tr", {},
    make("th", { scope: "col", text: "School" }),
    days.map(({ date, name }, day) => make("th", { scope: "col", class: day === shown.day ? "shown" : null, text: name, "aria-label": dayName(date), data: { date } })),
  ));
  const row = (school) => make("tr", { data: { urn: school.urn } }, nameOf(school), days.map((day, number) => cellOf(school, day, number)));
  one("#grid").replaceChildren(head, make("tbody", {}, state.schools.map(row)));
  drawDays(state.week);
  drawCrew(state);
  sift();
  const again = focus && findFocus(focus);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  setStop();
};

/** Show only the schools whose name, or whose officers' names, hold the words; all without words. */
const sift = () => {
  const { schools } = store.state;
  one("#sift").hidden = schools.length <= FEW;
  const words = one("#sift-words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hides = (school) => {
    const officers = Object.values(school.cells).flatMap(({ patrols }) => patrols.map(({ officer }) => officer));
    const text = [school.name, school.urn, ...officers].join(" ").toLowerCase();
    return !words.every((word) => text.includes(word));
  };
  const hidden = new Set(schools.filter(hides).map(({ urn }) => urn));
  all("#grid tbody tr").forEach((row) => { row.hidden = hidden.has(row.dataset.urn); });
  const left = schools.length - hidden.size;
  one("#sifted").textContent = `${left ? counted(left, "school") : "No school"} of ${schools.length}`;
};

export const startSifting = () => one("#sift-words").addEventListener("input", () => { sift(); setStop(); });

/** Exactly one thing of the grid is reached by Tab: where the focus was last. */
export const setStop = (element) => {
  const stops = all("tr:not([hidden])", one("#grid")).flatMap(thingsIn);
  const has = (selector) => stops.find((stop) => stop.matches(selector));
  const at = stops.includes(element) ? element : has(":focus") ?? has(".shown.hold, .shown .hold") ?? has(".shown") ?? stops[0];
  all('#grid tbody [tabindex="0"]').forEach((stop) => { stop.tabIndex = -1; });
  if (at) at.tabIndex = 0;
};

/** What can have the focus in a cell or row: the cell itself, or what is within it. */
const thingsIn = (part) => (part.matches(THINGS) ? [part] : all(THINGS, part));

/** The cell that many rows and days away, with its patrols in between; null at the edge. */
export const neighbour = (element, down, across) => {
  const cell = element.closest("td, th");
  const inside = thingsIn(cell);
  const next = inside[inside.indexOf(element) + down];
  if (!across && next && inside.includes(element)) return next;
  const row = cell.parentElement;
  const seen = all("tr:not([hidden])", row.parentElement);
  const other = down ? seen[seen.indexOf(row) + down] : row;
  const number = Array.from(row.children).indexOf(cell) + across;
  const target = other?.children[number];
  if (!target) return null;
  if (across && getComputedStyle(target).display === "none") showDay(number - 1);
  const found = thingsIn(target);
  return down < 0 ? found[found.length - 1] : found[0];
};

export const markChosen = (id) => {
  chosen = id;
  all("#grid .chip.chosen").forEach((element) => element.classList.remove("chosen"));
  one(`#grid .chip[data-patrol="${CSS.escape(id)}"]`)?.classList.add("chosen");
};

const findPatrol = (id) => store.patrols.find((patrol) => idOf(patrol) === id) ?? null;

/** The patrol that the map shows, as it is now; null when it is gone. */
export const chosenPatrol = () => findPatrol(chosen);

/** The patrol of an element of the grid. */
export const patrolAt = (element) => findPatrol(element?.closest?.("[data-patrol]")?.dataset.patrol);
