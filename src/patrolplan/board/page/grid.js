// The week as schools by days, the officers below it, and where the keyboard stands.

import { all, icon, make, one, unseen } from "./dom.js";
import { named, store } from "./store.js";
import { counted, dayName, idOf, patrolName, routeName } from "./words.js";

const shown = { day: 0 };
let chosen = "";

/** Everything to say about a patrol, for its name. */
const patrolLabel = (patrol) => [
  patrolName(patrol), `${patrol.start} to ${patrol.end}`, routeName(patrol),
  patrol.locked && "locked", patrol.lent && "lent to this school", patrol.delivered && "delivered",
].filter(Boolean).join(", ");

/** A patrol in its cell: take hold of it, or open its menu. */
const chip = (patrol) => {
  const id = idOf(patrol);
  return make(
    "div", { class: `chip${patrol.locked ? " locked" : ""}${id === chosen ? " chosen" : ""}`, data: { patrol: id } },
    make(
      "button", { type: "button", class: "hold", tabindex: "-1", title: patrolLabel(patrol), "aria-label": patrolLabel(patrol), data: { focus: `p|${id}` } },
      make("span", { class: "grip" }, icon("grip")),
      make(
        "span", { class: "chip-text" },
        make(
          "span", { class: "first" },
          make("span", { class: "who", text: patrol.officer }),
          patrol.variants > 1 ? make("span", { class: "route", text: `R${patrol.variant + 1}` }) : null,
          patrol.delivered ? icon("done") : null,
          patrol.locked ? icon("lock") : null,
        ),
        make("span", { class: "when", text: `${patrol.start}–${patrol.end}${patrol.lent ? " lent" : ""}` }),
      ),
    ),
    make(
      "button", { type: "button", class: "more", tabindex: "-1", "aria-label": `Menu: ${patrolName(patrol)}`, data: { focus: `m|${id}` } },
      icon("menu"),
    ),
  );
};

/** What stands in a cell without a patrol. */
const emptyText = (cell) => (cell.state === "closed" ? "Closed" : "+");

/** A cell of a school and a day. */
const cellOf = (school, { date }, day) => {
  const cell = school.cells[date] ?? { state: "closed", why: "", patrols: [] };
  const told = named(cell.why);
  const why = told ? `: ${told}` : "";
  const place = `${school.name}, ${dayName(date)}`;
  const empty = () => make(
    "button",
    { type: "button", class: "empty", tabindex: "-1", title: told || null, data: { focus: `c|${date}|${school.urn}` } },
    make("span", { "aria-hidden": "true", text: emptyText(cell) }),
    unseen(`${place}: ${cell.state === "closed" ? "closed" : "nobody"}${why}. Add a patrol`),
  );
  return make(
    "td", { class: `cell ${cell.state}${day === shown.day ? " shown" : ""}`, role: "gridcell", data: { urn: school.urn, date } },
    cell.patrols.length ? cell.patrols.map(chip) : empty(),
  );
};

/** A school's name, bell, and patrols against the least. */
const nameOf = (school) => {
  const short = school.patrols < school.least;
  return make(
    "th", { scope: "row", class: "school" },
    make("span", { class: "school-name", text: school.name, title: school.name }),
    make(
      "span", { class: "soft school-about" },
      `bell ${school.bell} · `,
      make("span", { class: short ? "short" : null, text: short ? `${school.patrols} of ${school.least}, too few` : counted(school.patrols, "patrol") }),
    ),
  );
};

/** Days to choose from where only one fits. */
const drawDays = ({ days }) => one("#days").replaceChildren(...days.map((day, number) => make(
  "button",
  {
    type: "button", text: day.name, "aria-label": dayName(day.date), "aria-pressed": String(number === shown.day),
    data: { day: number, focus: `d|${number}` }, on: { click: () => showDay(number) },
  },
)));

/** Show another day where only one fits. */
export const showDay = (number) => {
  const { days } = store.state.week;
  shown.day = Math.max(0, Math.min(days.length - 1, number));
  all("#days button").forEach((button, at) => button.setAttribute("aria-pressed", String(at === shown.day)));
  all("#grid [data-date]").forEach((cell) => cell.classList.toggle("shown", cell.dataset.date === days[shown.day].date));
};

/** The officers, to be given a patrol: how many they have of the most they may. */
const drawCrew = (state) => {
  const cards = state.officers.map((officer) => {
    const full = officer.patrols >= officer.most;
    const text = `${officer.patrols}/${officer.most}`;
    return make(
      "button",
      {
        type: "button", class: `officer${full ? " full" : ""}`, data: { officer: officer.officer, focus: `o|${officer.officer}` },
        "aria-label": `${officer.officer}, ${officer.patrols} of ${officer.most} patrols${full ? ", no more this week" : ""}`,
      },
      make("span", { class: "grip" }, icon("grip")),
      make("span", { class: "who", text: officer.officer }),
      make("span", { class: "load", text: full ? `${text} full` : text }),
    );
  });
  one("#crew").replaceChildren(make("h2", { text: "Officers" }), ...cards);
};

/** Draw the week anew; what had the focus keeps it. */
export const drawGrid = (state) => {
  const focus = document.activeElement?.dataset?.focus;
  const head = make(
    "thead", {},
    make(
      "tr", {},
      make("th", { scope: "col", text: "School" }),
      state.week.days.map(({ date, name }, day) => make("th", { scope: "col", class: day === shown.day ? "shown" : null, text: name, "aria-label": dayName(date), data: { date } })),
    ),
  );
  const rows = state.schools.map((school) => make(
    "tr", {}, nameOf(school), state.week.days.map((day, number) => cellOf(school, day, number)),
  ));
  one("#grid").replaceChildren(head, make("tbody", {}, rows));
  drawDays(state.week);
  drawCrew(state);
  const again = focus && one(`[data-focus="${CSS.escape(focus)}"]`);
  if (again) again.focus({ preventScroll: true });
  setStop();
};

/** Exactly one thing of the grid is reached by Tab: where the keyboard last stood. */
export const setStop = (element) => {
  const stops = all("#grid .hold, #grid .empty");
  const at = stops.includes(element) ? element : stops.find((stop) => stop === document.activeElement) ?? stops.find((stop) => stop.closest(".shown")) ?? stops[0];
  stops.forEach((stop) => { stop.tabIndex = stop === at ? 0 : -1; });
  all("#grid .more").forEach((more) => { more.tabIndex = at && more.parentElement === at.parentElement && at.classList.contains("hold") ? 0 : -1; });
};

/** The cell that many rows and days away, with its patrols in between; null at the edge. */
export const neighbour = (element, down, across) => {
  const cell = element.closest(".cell");
  const inside = all(".hold, .empty", cell);
  const next = inside[inside.indexOf(element) + down];
  if (!across && next && inside.includes(element)) return next;
  const row = cell.parentElement;
  const other = down ? (down > 0 ? row.nextElementSibling : row.previousElementSibling) : row;
  const number = Array.from(row.children).indexOf(cell) + across;
  const target = other?.children[number];
  if (!target?.classList.contains("cell")) return null;
  if (across && getComputedStyle(target).display === "none") showDay(number - 1);
  const found = all(".hold, .empty", target);
  return down < 0 ? found[found.length - 1] : found[0];
};

/** Mark the patrol that the map shows. */
export const markChosen = (id) => {
  chosen = id;
  all("#grid .chip").forEach((element) => element.classList.toggle("chosen", element.dataset.patrol === id));
};

/** The patrol of an element of the grid. */
export const patrolAt = (element) => {
  const id = element?.closest?.("[data-patrol]")?.dataset.patrol;
  return id ? store.patrols.find((patrol) => idOf(patrol) === id) ?? null : null;
};
