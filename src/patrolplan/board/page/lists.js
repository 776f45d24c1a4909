// The lists next to the week: doses, gaps, rules and history.

import { button, listOf, make, unseen } from "./dom.js";
import { lookAtHotspot } from "./map.js";
import { gapTitle, swapsButton } from "./outcome.js";
import { change, named, store } from "./store.js";
import { counted, dayName, keyOf, patrolName, ruleName } from "./words.js";

const longestRun = (dosed) => Math.max(...dosed.map((has) => (has ? "x" : " ")).join("").split(" ").map(({ length }) => length));

/** One hotspot: minutes on every day, with a sign where they are over the maximum, and days in a row. */
const doseRow = ({ hotspot, place, days, before, max_minutes: maximum }, dates) => {
  const minutes = dates.map((date) => Math.round(days[date] ?? 0));
  const run = longestRun(minutes);
  const text = [run > 1 && `${run} in a row`, before && `${counted(before, "day")} before`].filter(Boolean).join(", ");
  return make(
    "tr", {},
    make("th", { scope: "row" }, make("span", { class: "place-name", title: place }, button(hotspot, () => lookAtHotspot(hotspot), { class: "link", "aria-label": `${hotspot}, ${place}: show on the map`, "data-focus": `h|${hotspot}` }), ` ${place}`)),
    minutes.map((value) => (value > maximum
      ? make("td", { class: "over", text: `! ${value}` }, unseen(", too many"))
      : make("td", { text: value || "–" }))),
    make("td", { class: "run", text }),
  );
};

/** Doses of every hotspot; those without one this week are folded away. */
export const drawDoses = ({ doses, week }) => {
  const total = (dose) => Object.values(dose.days).reduce((sum, minutes) => sum + minutes, 0);
  const some = doses.filter((dose) => total(dose) > 0);
  const none = doses.filter((dose) => total(dose) <= 0);
  const maximum = doses[0]?.max_minutes ?? 30;
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Hotspot" }), week.days.map(({ name, date }) => make("th", { scope: "col", text: name.split(" ")[0], "aria-label": dayName(date) })), make("th", { scope: "col", text: "Days" })));
  const dates = week.days.map(({ date }) => date);
  return [
    make("p", { class: "soft", text: `Minutes a day; ${maximum} are the maximum.` }),
    make("table", { class: "doses" }, head, make("tbody", {}, some.map((dose) => doseRow(dose, dates)))),
    none.length && make(
      "details", {}, make("summary", { text: `${counted(none.length, "hotspot")} without a dose this week` }),
      make("ul", { class: "rows" }, none.map((dose) => make("li", {}, button(dose.hotspot, () => lookAtHotspot(dose.hotspot), { class: "link" }), ` ${dose.place}${dose.before ? `, ${counted(dose.before, "day")} before` : ""} `, swapsButton({ place: dose.hotspot }, `${dose.hotspot}, any day`, { class: "link" })))),
    ),
  ];
};

/** Days without a patrol and why, and what was assumed. */
export const drawGaps = ({ gaps, notes, threshold_note: note }) => [
  make("h3", { text: "Days without a patrol" }),
  gaps.length ? make("ul", { class: "rows" }, store.state.schools.map((school) => {
    const mine = gaps.filter(({ urn }) => urn === school.urn);
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
