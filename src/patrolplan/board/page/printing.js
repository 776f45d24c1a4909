// Paper: task sheets and cards by officer or day, and the board itself in black and white.

import { button, choice, labelled, make, one, openDialog } from "./dom.js";
import { ask, inTurn, isRefused, named, paperAddress, say, store, tell } from "./store.js";
import { counted, dayName, idOf, routeName, ruleName, schoolName } from "./words.js";

const EVERY_MILLISECONDS = 500;

const links = (files) => make("ul", { class: "rows papers" }, files.map(({ name, href, out_of_date: old }) => make(
  "li", {}, make("a", { href: paperAddress(href), target: "_blank", rel: "noopener", text: name }), old ? " (shows an earlier week)" : null,
)));

const CHANGED = "part/changed.pdf";

/** The papers in the folder: what changed as one, then what is for the schools and the rest folded away. */
const paperList = ({ folder, files }) => {
  const changed = files.filter(({ name }) => name === CHANGED);
  const schools = files.filter(({ name }) => /^(schools|posters)\//.test(name));
  const others = files.filter((file) => ![...changed, ...schools].includes(file));
  const fold = (noun, rows) => rows.length && make("details", {}, make("summary", { text: counted(rows.length, noun) }), links(rows));
  return [
    changed.length && [make("p", { text: "To hand out, by officer, with the cards to take back on the first page:" }), links(changed)],
    fold("paper for schools", schools), fold("other paper", others),
    make("p", { class: "soft", text: files.length ? `All are in ${folder}.` : "No papers yet." }),
  ].flat().filter(Boolean);
};

const openPrint = () => {
  const officer = choice([["", "all officers"], ...store.state.officers.map((row) => [row.officer, row.officer])], { id: "print-officer" });
  const date = choice([["", "the whole week"], ...store.state.week.days.map((day) => [day.date, dayName(day.date)])], { id: "print-date" });
  const progress = make("p", { text: "" });
  const papers = make("div", { class: "found" });
  const old = store.state.out_of_date;
  const follow = async () => {
    const { status, body } = await ask("/api/print");
    if (!dialog.isConnected || status !== 200) return;
    progress.textContent = body.running ? body.message : "";
    if (body.running) {
      setTimeout(follow, EVERY_MILLISECONDS);
      return;
    }
    go.disabled = false;
    papers.replaceChildren(...paperList(body));
    say(body.problem || body.message, { problem: Boolean(body.problem) });
  };
  const start = async () => {
    const answer = await tell("/api/print", { version: store.state.version, officer: officer.value || null, date: date.value || null });
    if (isRefused(answer, "look at it and print again")) return;
    go.disabled = true;
    say("Making the papers …");
    follow();
  };
  const go = button("Make the papers", () => inTurn(start), { class: "primary" });
  const dialog = openDialog("print", "Print", () => [
    make("p", { text: "Cards that changed since the last print, by officer, as one PDF; sheets for schools apart." }),
    make("div", { class: "fields" }, labelled("Officer", officer), labelled("Day", date)),
    make("div", { class: "actions" }, go, button("Print the board itself", () => print())),
    old.length && make("p", {}, make("b", { text: "Printed before the last changes: " }), old.join(", ")),
    progress, papers,
  ]);
};

/** Text as a string of CSS, which the page's margins print. */
const quoted = (text) => `"${text.replace(/\s+/g, " ").replace(/["\\]/g, "\\$&")}"`;

/** The board on paper: the week, doses, gaps and rules, without colour. */
const fillPaper = () => {
  const { state } = store;
  if (!state) return;
  const { days } = state.week;
  const root = document.documentElement.style;
  root.setProperty("--marking", quoted(state.marking));
  root.setProperty("--title", quoted(one("h1").textContent));
  const cell = ({ cells }, { date }) => {
    const { patrols = [], state: open = "closed", why = "" } = cells[date] ?? {};
    if (!patrols.length) return make("td", { text: open === "closed" ? "closed" : why ? "–" : "" });
    return make("td", {}, patrols.map((patrol) => make("div", { data: { id: idOf(patrol) } }, make("b", { text: patrol.officer }), ` ${patrol.start}–${patrol.end}${patrol.locked ? ", locked" : ""}`, make("br"), `${routeName(patrol)}: ${patrol.stops.map(({ place }) => place).join("; ")}`)));
  };
  const list = (title, rows) => rows.length && make("section", {}, make("h2", { text: title }), make("ul", {}, rows.map((text) => make("li", { text }))));
  const dosed = state.doses.filter((dose) => Object.values(dose.days).some(Boolean));
  one("#paper").replaceChildren(...[
    make("table", { class: "paper-week" }, make("thead", {}, make("tr", {}, make("th", { text: "School" }), days.map(({ date }) => make("th", { text: dayName(date) })))), make("tbody", {}, state.schools.map((school) => make("tr", {}, make("th", { text: `${school.name}, bell ${school.bell}` }), days.map((day) => cell(school, day)))))),
    make("section", {}, make("h2", { text: "Minutes a day at each hotspot" }), make("table", {}, make("thead", {}, make("tr", {}, make("th", { text: "Hotspot" }), days.map(({ name }) => make("th", { text: name })))), make("tbody", {}, dosed.map((dose) => make("tr", {}, make("th", { text: `${dose.hotspot} ${dose.place}` }), days.map(({ date }) => make("td", { text: dose.days[date] ? String(Math.round(dose.days[date])) : "" }))))))),
    list("Too few patrols", state.short.map((row) => `${schoolName(row.urn)}: ${row.patrols} of at least ${row.least}`)),
    list("Days without a patrol", state.gaps.map((gap) => `${schoolName(gap.urn)}, ${dayName(gap.date)}: ${named(gap.why)}`)),
    list("Tasked places", state.tasked.map((place) => `${place.place_id}, ${place.must_visit ? "must be visited" : "barred"}, until ${dayName(place.to)}: ${place.reason} (${place.by})`)),
    list("Ruled out", state.bans.map(ruleName)),
  ].filter(Boolean));
};

export const startPrinting = () => {
  one("#open-print").addEventListener("click", openPrint);
  addEventListener("beforeprint", fillPaper);
};
