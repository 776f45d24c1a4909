// The lists next to the week: doses, gaps, fairness, rules and history.

import { button, keeper, listOf, make, unseen } from "./dom.js";
import { lookAtHotspot } from "./map.js";
import { gapTitle, swapsButton } from "./outcome.js";
import { change, named, store } from "./store.js";
import { counted, dayName, inWords, keyOf, patrolName, ruleName } from "./words.js";

const doseRows = keeper();

const bar = (share, text, { over = false, label = "" } = {}) => {
  const fill = make("span", { class: "fill" });
  fill.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  return make("span", { class: `bar${over ? " over" : ""}` }, fill, make("span", { class: "bar-text", text }), label && unseen(label));
};

const longestRun = (dosed) => dosed.reduce(
  ({ best, run }, has) => ({ run: has ? run + 1 : 0, best: Math.max(best, has ? run + 1 : 0) }), { best: 0, run: 0 },
).best;

/** One hotspot: minutes on every day against the maximum, and days in a row. */
const doseRow = (dose, days) => {
  const dosed = days.map(({ date }) => (dose.days[date] ?? 0) > 0);
  const run = longestRun(dosed);
  const cells = days.map(({ date }, at) => {
    const minutes = Math.round(dose.days[date] ?? 0);
    const over = minutes > dose.max_minutes;
    const joined = dosed[at] && dosed[at + 1];
    return make(
      "td", { class: `dose${joined ? " joined" : ""}${dosed[at] ? " dosed" : ""}` },
      minutes ? bar(minutes / dose.max_minutes, over ? `! ${minutes}` : String(minutes), { over, label: ` of ${dose.max_minutes} minutes${over ? ", too many" : ""}` }) : make("span", { class: "soft", text: "–" }),
    );
  });
  const text = [run > 1 && `${run} in a row`, dose.before ? `${counted(dose.before, "day")} before` : ""].filter(Boolean).join(", ");
  return make(
    "tr", {},
    make("th", { scope: "row" }, make("span", { class: "place-name", title: dose.place }, button(dose.hotspot, () => lookAtHotspot(dose.hotspot), { class: "link", "aria-label": `${dose.hotspot}, ${dose.place}: show on the map`, "data-focus": `h|${dose.hotspot}` }), ` ${dose.place}`)),
    cells, make("td", { class: "run", text }),
  );
};

/** Doses of every hotspot; those without one this week are folded away. */
export const drawDoses = ({ doses, week }) => {
  const total = (dose) => Object.values(dose.days).reduce((sum, minutes) => sum + minutes, 0);
  const some = doses.filter((dose) => total(dose) > 0);
  const none = doses.filter((dose) => total(dose) <= 0);
  const maximum = doses[0]?.max_minutes ?? 30;
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "Hotspot" }), week.days.map(({ name, date }) => make("th", { scope: "col", text: name.split(" ")[0], "aria-label": dayName(date) })), make("th", { scope: "col", text: "Days" })));
  const rows = some.map((dose) => doseRows.keep(dose.hotspot, [dose, week.days], () => doseRow(dose, week.days)));
  doseRows.turn();
  return [
    make("p", { class: "soft", text: `Minutes a day; a full bar is ${maximum}, the maximum. The line below joins days in a row.` }),
    make("table", { class: "doses" }, head, make("tbody", {}, rows)),
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

/** Patrols of schools and officers against the minimum and the maximum. */
export const drawFairness = ({ schools, officers }) => {
  const top = Math.max(1, ...schools.map(({ patrols }) => patrols));
  const row = (name, patrols, share, over, about) => make(
    "tr", {}, make("th", { scope: "row", class: "name", text: name }),
    make("td", {}, bar(share, String(patrols), { over, label: " patrols" })), make("td", { text: about }),
  );
  const table = (rows) => make("table", { class: "fairness" }, make("tbody", {}, rows));
  return [
    make("h3", { text: "Schools" }),
    table(schools.map(({ name, patrols, least, minutes }) => {
      const low = patrols < least;
      return row(name, patrols, patrols / top, low, `${minutes} min${low ? `, fewer than ${least}` : ""}`);
    })),
    make("h3", { text: "Officers" }),
    table(officers.map(({ officer, patrols, max_patrols: maximum }) => row(
      officer, patrols, maximum ? patrols / maximum : 1, patrols > maximum,
      `of ${maximum}${patrols > maximum ? ", too many" : patrols === maximum ? ", full" : ""}`,
    ))),
  ];
};

/** Locks and bans, each with the way to lift it. */
export const drawRules = ({ bans }) => {
  const lift = (what, text) => make("li", {}, make("span", { text }), button(what.kind === "unlock" ? "Unlock" : "Allow again", () => change(what, inWords(what)), { "aria-label": inWords(what) }));
  const locked = store.patrols.filter((patrol) => patrol.locked);
  return [
    make("h3", { text: "Locked: planning again keeps these" }),
    locked.length ? make("ul", { class: "rows sided" }, locked.map((patrol) => lift({ kind: "unlock", ...keyOf(patrol) }, `${patrolName(patrol)}, ${patrol.start}`))) : make("p", { text: "Nothing is locked. Lock a patrol in its menu." }),
    make("h3", { text: "Ruled out" }),
    bans.length ? make("ul", { class: "rows sided" }, bans.map((ban) => lift({ kind: "unban", ...ban }, ruleName(ban)))) : make("p", { text: "Nothing is ruled out." }),
  ];
};

export const drawHistory = ({ history }) => [
  history.length ? make("ol", { class: "rows history" }, history.toReversed().map(({ when, what }) => make("li", {}, make("span", { class: "soft", text: when }), ` ${named(what)}`))) : make("p", { text: "Nothing was changed yet." }),
];
