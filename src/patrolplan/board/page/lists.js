// The lists next to the week: doses, gaps, rules, history, and minutes delivered at each stop.

import { button, choice, findFocus, listOf, make, one, unseen } from "./dom.js";
import { lookAtHotspot } from "./map.js";
import { gapTitle, swapsButton } from "./planning.js";
import { change, counted, dayName, idOf, keyOf, named, patrolName, promised, ruleName, schoolName, send, store } from "./store.js";

/** One hotspot: minutes on every day, with a sign where they are over the maximum. */
const doseRow = ({ hotspot, place, days, max_minutes: maximum }, dates) => make(
  "tr", {},
  make("th", { scope: "row" }, make("span", { class: "place-name", title: place }, button(hotspot, () => lookAtHotspot(hotspot), { class: "link", "aria-label": `${hotspot}, ${place}: show on the map`, "data-focus": `h|${hotspot}` }), ` ${place}`)),
  dates.map((date) => Math.round(days[date] ?? 0)).map((value) => (value > maximum
    ? make("td", { class: "over", text: `! ${value}` }, unseen(", too many"))
    : make("td", { text: value || "–" }))),
);

/** Doses of every hotspot; those without one this week are folded away. */
export const drawDoses = ({ doses, week }) => {
  const total = (dose) => Object.values(dose.days).reduce((sum, minutes) => sum + minutes, 0);
  const some = doses.filter((dose) => total(dose) > 0);
  const none = doses.filter((dose) => total(dose) <= 0);
  const maximum = doses[0]?.max_minutes ?? 30;
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Hotspot" }), week.days.map(({ name, date }) => make("th", { scope: "col", text: name.split(" ")[0], "aria-label": dayName(date) }))));
  const dates = week.days.map(({ date }) => date);
  return [
    make("p", { class: "soft", text: `Minutes a day; ${maximum} are the maximum.` }),
    make("table", { class: "doses" }, head, make("tbody", {}, some.map((dose) => doseRow(dose, dates)))),
    none.length && make(
      "details", {}, make("summary", { text: `${counted(none.length, "hotspot")} without a dose this week` }),
      make("ul", { class: "rows" }, none.map((dose) => make("li", {}, button(dose.hotspot, () => lookAtHotspot(dose.hotspot), { class: "link" }), ` ${dose.place} `, swapsButton({ place: dose.hotspot }, `${dose.hotspot}, any day`, { class: "link" })))),
    ),
  ];
};

const isDay = ({ kind }) => kind === "day";

/** Days without a patrol and why, and what was assumed. */
export const drawGaps = ({ unmet, notes, threshold_note: note }) => [
  make("h3", { text: "Days without a patrol" }),
  unmet.some(isDay) ? make("ul", { class: "rows" }, store.state.schools.map((school) => {
    const mine = unmet.filter((row) => isDay(row) && row.urn === school.urn);
    return mine.length && make("li", {}, make("b", { text: school.name }), make("ul", {}, mine.map((gap) => make("li", {}, make("span", { text: `${dayName(gap.date)}: ${named(gap.why)} ` }), swapsButton({ urn: gap.urn, date: gap.date }, gapTitle(school.name, gap.date), { class: "link" })))));
  })) : make("p", { text: "None." }),
  make("h3", { text: "Notes" }),
  listOf([...notes, note].map(named)),
];

/** Locks and bans, each with the way to lift it. */
export const drawRules = ({ bans }) => {
  const lift = (what, doIt, text) => make("li", {}, make("span", { text }), button(doIt, () => change(what), { "aria-label": `${doIt}: ${text}` }));
  const locked = store.patrols.filter((patrol) => patrol.locked);
  return [
    make("h3", { text: "Locked: planning again keeps these" }),
    locked.length ? make("ul", { class: "rows sided" }, locked.map((patrol) => lift({ kind: "unlock", ...keyOf(patrol) }, "Unlock", `${patrolName(patrol)}, ${patrol.start}`))) : make("p", { text: "Nothing is locked. Lock a patrol in its menu." }),
    make("h3", { text: "Ruled out" }),
    bans.length ? make("ul", { class: "rows sided" }, bans.map((ban) => lift({ kind: "unban", ...ban }, "Allow again", ruleName(ban)))) : make("p", { text: "Nothing is ruled out." }),
  ];
};

export const drawHistory = ({ history }) => [
  history.length ? make("ol", { class: "rows history" }, history.toReversed().map(({ when, what }) => make("li", {}, make("span", { class: "soft", text: when }), ` ${named(what)}`))) : make("p", { text: "Nothing was changed yet." }),
];

/** The numbers of a line; the minutes planned where it is empty. */
const readMinutes = (text, patrol) => {
  const words = text.trim().split(/[\s,;]+/).filter(Boolean);
  return words.length ? words.map(Number) : promised(patrol);
};

const deliveredLine = (patrol) => {
  const called = (letter, what, more = "") => ({ "aria-label": `${what}, ${patrolName(patrol)}${more}`, data: { focus: `${letter}|${idOf(patrol)}` } });
  const minutes = make("input", {
    type: "text", inputmode: "numeric", autocomplete: "off", class: "minutes", pattern: "[0-9.,; ]*", title: "Numbers of minutes, one a stop",
    placeholder: promised(patrol).join(" "), value: patrol.delivered ? patrol.delivered.join(" ") : "",
    ...called("n", "Minutes at each stop", "; empty means the minutes planned"),
  });
  const number = { type: "number", class: "people" };
  const people = make("input", { ...number, min: "0", max: "999", value: patrol.engagements ?? "", placeholder: "people", ...called("e", "People spoken to") });
  const came = make("input", { ...number, min: "1", max: "99", placeholder: `${1 + patrol.crew.length} came`, ...called("c", "How many of us came", "; empty means as planned") });
  const reason = choice(["", "abstracted", "sick", "incident", "weather", "other"].map((word) => [word, word || "why fewer?"]), called("w", "Why fewer minutes than planned"));
  const save = async (event) => {
    event.preventDefault();
    const read = ({ value }) => (value === "" ? null : Number(value));
    const doses = { duty: keyOf(patrol), minutes: readMinutes(minutes.value, patrol), engagements: read(people), people: read(came), reason: reason.value || null };
    if (await send("/api/doses", doses)) goOn(patrol);
  };
  return make(
    "form", { class: "delivered-line", on: { submit: save } },
    minutes, people, came, reason, make("button", { type: "submit" }, "Save", unseen(` ${patrolName(patrol)}`)),
  );
};

/** After a line was saved, the next one without minutes has the focus. */
const goOn = (patrol) => {
  const rows = inOrder();
  const at = rows.findIndex((row) => idOf(row) === idOf(patrol));
  const next = rows.slice(at + 1).find((row) => !row.delivered);
  if (next) findFocus(`n|${idOf(next)}`, one("#list"))?.focus();
};

const inOrder = () => store.patrols.toSorted((a, b) => `${a.date}${a.start}${a.officer}`.localeCompare(`${b.date}${b.start}${b.officer}`));

export const drawDelivered = (state) => [
  make("p", { class: "soft", text: "One number a stop, in minutes. Leave the line empty and press Enter for the minutes planned." }),
  state.week.days.map(({ date }) => {
    const rows = inOrder().filter((patrol) => patrol.date === date);
    if (!rows.length) return null;
    return make(
      "section", {}, make("h3", { text: dayName(date) }),
      make("ul", { class: "rows" }, rows.map((patrol) => make(
        "li", { class: "delivered" },
        make("span", { class: "delivered-who", text: `${patrol.start} ${patrol.officer}, ${schoolName(patrol.urn)}${patrol.delivered ? " (entered)" : ""}` }),
        deliveredLine(patrol),
      ))),
    );
  }),
];
