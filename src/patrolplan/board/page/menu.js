// Everything that can be done with one patrol, with a cell that has none, or with one officer: away
// and back again, what else they have to do, and a patrol to add.

import { pickUp } from "./carry.js";
import { button, choice, findFocus, labelled, make, one, openDialog } from "./dom.js";
import { markChosen, shownDay } from "./grid.js";
import { showPatrol } from "./map.js";
import { changeAndShow, gapTitle, swapsButton } from "./planning.js";
import { appointmentName, change, check, counted, dayName, fear, idOf, keptAway, keyOf, named, plain, routeName, ruleName, schoolName, shortDay, store, task, verdict, windowOf } from "./store.js";

const NOBODY = "-";

const showOnMap = (patrol) => {
  markChosen(idOf(patrol));
  showPatrol(patrol);
};

/** Make a change and close the dialog when it was done; otherwise the reason stands in it. */
const act = async (close, what) => await change(what) && close();

/** A choice whose every option is checked when chosen, with its button and the verdict. */
const checkedChoice = (label, doIt, options, changeOf, close) => {
  const found = make("span", { class: "verdict", role: "status" });
  const select = choice([["", "choose …"], ...options]);
  const go = button(doIt, () => act(close, changeOf(select.value)), { disabled: true });
  select.addEventListener("change", async () => {
    const { value } = select;
    go.disabled = !value;
    found.textContent = "";
    if (!value) return;
    const answer = await check(changeOf(value));
    if (select.value !== value) return;
    found.textContent = verdict(answer);
    found.classList.toggle("problem", !answer.ok);
  });
  return make("div", { class: "line" }, labelled(label, select), go, found);
};

/** Officers for a school and a day, those in whose care it is first, with hours and load. */
const officerOptions = (urn, date) => {
  const rows = store.state.officers.map((row) => {
    const cares = row.schools.includes(urn) || row.schools.includes("*");
    const busy = store.patrols.find((patrol) => [patrol.officer, ...patrol.crew].includes(row.officer) && patrol.date === date);
    const hours = row.hours[date] ? row.hours[date].replace("-", "–") : "off duty";
    const facts = [row.role !== "officer" && row.role, hours, `${row.patrols} of ${row.max_patrols}`, busy && `then at ${schoolName(busy.urn)}`, !cares && "not in their care"];
    return { name: row.officer, order: (cares ? 0 : 2) + (busy || !row.hours[date] ? 1 : 0), text: `${row.officer} (${facts.filter(Boolean).join(", ")})` };
  });
  return rows.sort((a, b) => a.order - b.order).map(({ name, text }) => [name, text]);
};

export const openMenu = (patrol) => {
  if (!patrol) return;
  showOnMap(patrol);
  const key = keyOf(patrol);
  const { officer, urn, date, crew } = patrol;
  const others = officerOptions(urn, date).filter(([name]) => name !== officer);
  const companions = [...(crew.length ? [[NOBODY, "nobody"]] : []), ...others.filter(([name]) => !crew.includes(name))];
  const routes = Array.from({ length: patrol.variants }, (_, number) => [String(number), `Route ${number + 1}`])
    .filter(([number]) => Number(number) !== patrol.variant);
  openDialog("patrol", `${officer} at ${schoolName(urn)}`, (close) => {
    const simple = (text, kind) => button(text, () => act(close, { kind, ...key }));
    const rule = (text, what) => button(text, () => act(close, { kind: "ban", ...what }), { "aria-label": `Rule out: ${ruleName(what)}` });
    return [
      make("p", { text: `${dayName(date)}${windowOf(patrol)}, ${patrol.start} to ${patrol.end}, set out ${patrol.leave || patrol.start}, ${routeName(patrol)}${patrol.locked ? ", locked" : ""}${patrol.company ? `, with ${patrol.company}` : ""}.${keptAway(patrol)}` }),
      make("ol", { class: "stops" }, patrol.stops.map((stop) => make(
        "li", {}, make("b", { text: `${stop.arrive}–${stop.leave}` }), ` ${stop.place} (${Math.round(stop.minutes)} min)${task(stop)}${fear(stop)}`,
      ))),
      make(
        "div", { class: "actions" },
        button("Move: pick it up", () => {
          close();
          pickUp({ patrol }, null);
          findFocus(`p|${idOf(patrol)}`)?.focus();
        }),
        patrol.locked ? simple("Unlock", "unlock") : simple("Lock", "lock"),
        simple("Remove", "remove"),
        button("Show on the map", () => {
          close();
          if (one("#beyond").hidden) one("#more").click();
          showOnMap(patrol);
          one("#map-frame").scrollIntoView({ block: "nearest" });
          one("#map").focus({ preventScroll: true });
        }),
      ),
      checkedChoice("Give to", "Give", others, (name) => ({ kind: "move", from: key, to: { ...key, officer: name } }), close),
      checkedChoice("Along", "Set", companions, (name) => ({ kind: "crew", ...key, crew: name === NOBODY ? [] : [name] }), close),
      routes.length && checkedChoice("Other route", "Choose", routes, (number) => ({ kind: "variant", ...key, variant: Number(number) }), close),
      make(
        "fieldset", {}, make("legend", { text: `Rule out on ${dayName(date)}` }),
        make(
          "div", { class: "actions" },
          rule(`${officer} here`, { officer, urn, date }),
          rule("Anybody here", { officer: null, urn, date }),
          rule(`${officer} anywhere`, { officer, urn: null, date }),
        ),
      ),
    ];
  });
};

/** What can be done with a school on a day: a patrol in a window without one, swaps, a rule. */
const addParts = (urn, date, close) => {
  const { state, why, patrols } = store.school.get(urn).cells[date];
  const { windows } = store.state;
  const window = choice(windows.map((name) => [name, plain(name)]));
  window.value = windows.find((name) => !patrols.some((patrol) => patrol.window === name)) ?? windows[0];
  const changeOf = (officer) => ({ kind: "add", officer, urn, date, window: window.value, variant: null });
  const rule = { officer: null, urn, date };
  return [
    why && make("p", {}, make("b", { text: "Why there is no patrol: " }), named(why)),
    windows.length > 1 && make("div", { class: "line" }, labelled("Window", window)),
    checkedChoice("Officer", "Add", officerOptions(urn, date), changeOf, close),
    state !== "closed" && make("div", { class: "actions" }, swapsButton({ urn, date }, gapTitle(schoolName(urn), date))),
    make("div", { class: "actions" }, button(`Rule out: ${ruleName(rule)}`, () => act(close, { kind: "ban", ...rule }))),
  ].filter(Boolean);
};

/** Add a patrol at a school; without a day, on the first that has none, the day that is shown before the others. */
export const openAdd = (urn, wanted) => {
  const { cells } = store.school.get(urn);
  const { days } = store.state.week;
  const isFree = (date) => cells[date].state !== "closed" && !cells[date].patrols.length;
  const stateOf = ({ state, patrols }) => (state === "closed" ? "closed" : patrols.map(({ officer }) => officer).join(", ") || "nobody");
  const day = choice(days.map(({ date }) => [date, `${dayName(date)} (${stateOf(cells[date])})`]));
  day.value = wanted ?? [shownDay(), ...days.map(({ date }) => date)].find(isFree) ?? shownDay();
  openDialog("add", `Add a patrol: ${schoolName(urn)}`, (close) => {
    const parts = make("div", {});
    const draw = () => parts.replaceChildren(...addParts(urn, day.value, close));
    day.addEventListener("change", draw);
    draw();
    return [make("div", { class: "line" }, labelled("Day", day)), parts];
  });
};

const NO_HOURS = "09:00-17:00";

const likelyDay = () => {
  const { days } = store.state.week;
  const today = new Date().toLocaleDateString("sv"); // as YYYY-MM-DD
  return days.find(({ date }) => date === today)?.date ?? days[0].date;
};

/** Days as buttons, of which one is pressed; `choose` gets the day. */
const dayPicker = (label, choose) => {
  const buttons = store.state.week.days.map(({ date, name }) => button(name, () => choose(date), { "aria-label": `${label} ${dayName(date)}`, "data-day": date }));
  const group = make("div", { class: "day-picker", role: "group", "aria-label": label }, make("span", { class: "picker-label", text: label }), buttons);
  const press = (day) => buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.day === day)));
  return { group, press };
};

/** From when to when an officer is away: the days are pressed, then "Away". */
const awayForm = (row, close) => {
  const span = { from: likelyDay(), to: likelyDay() };
  const go = button("", () => changeAndShow({ kind: "away", officer: row.officer, ...span }, close), { class: "primary", id: "away" });
  const show = () => {
    first.press(span.from);
    last.press(span.to);
    go.textContent = span.from === span.to ? `Away on ${dayName(span.from)}` : `Away ${shortDay(span.from)} to ${shortDay(span.to)}`;
  };
  const choose = (from, to) => { Object.assign(span, { from, to }); show(); };
  const first = dayPicker("First day", (day) => choose(day, span.to < day ? day : span.to));
  const last = dayPicker("Last day", (day) => choose(span.from > day ? day : span.from, day));
  show();
  return make("fieldset", {}, make("legend", { text: "Away" }), first.group, last.group, go);
};

const absences = (row, close) => {
  const dates = store.state.week.days.map(({ date }) => date).filter((date) => row.absent.includes(date));
  if (!dates.length) return null;
  const what = { kind: "back", officer: row.officer, from: dates[0], to: dates.at(-1) };
  return make(
    "div", { class: "line" },
    make("p", { text: `Away: ${dates.map(shortDay).join(", ")}.` }),
    button("Back again", () => changeAndShow(what, close)),
  );
};

const appointmentList = (row, close) => {
  const rows = Object.entries(row.appointments).flatMap(([date, mine]) => mine.map((each) => {
    const what = { kind: "unappoint", officer: row.officer, date, from: each.from };
    const where = each.urn ? `, ${schoolName(each.urn)}` : "";
    return make(
      "li", {}, make("span", { text: `${shortDay(date)}: ${appointmentName(each)}${where}` }),
      each.removable && button("Remove", () => changeAndShow(what, close), { "aria-label": `Remove the appointment on ${dayName(date)} at ${each.from}` }),
    );
  }));
  return rows.length && make("ul", { class: "rows sided" }, rows);
};

/** The form of an appointment: what, which day, from when to when, and where if it is at a school. */
const appointmentForm = (row, close) => {
  const kinds = store.state.duty_kinds;
  const day = choice(store.state.week.days.map(({ date, name }) => [date, name]), { id: "appoint-day" });
  const what = choice(kinds.map(({ kind, words }) => [kind, words]), { id: "appoint-what" });
  const from = make("input", { type: "time", id: "appoint-from", required: true });
  const to = make("input", { type: "time", id: "appoint-to", required: true });
  const school = choice([["", "no school"], ...store.state.schools.map(({ urn, name }) => [urn, name])], { id: "appoint-school" });
  const where = labelled("School", school);
  const show = () => {
    [from.value, to.value] = (row.hours[day.value] || NO_HOURS).split("-");
    where.hidden = !kinds.find(({ kind }) => kind === what.value).at_school;
  };
  day.value = likelyDay();
  day.addEventListener("change", show);
  what.addEventListener("change", show);
  show();
  const enter = (event) => {
    event.preventDefault();
    return changeAndShow({
      kind: "appoint", officer: row.officer, date: day.value, from: from.value, to: to.value, what: what.value, urn: where.hidden ? null : school.value || null,
    }, close);
  };
  return make(
    "form", { novalidate: true, on: { submit: enter } },
    make("div", { class: "fields" }, labelled("What", what), labelled("Day", day), labelled("From", from), labelled("Until", to), where),
    make("button", { type: "submit", text: "Enter the appointment" }),
  );
};

export const openOfficer = (name) => {
  const row = store.state.officers.find(({ officer }) => officer === name);
  if (!row) return;
  const about = [row.role !== "officer" && row.role, !row.alone && "not alone", counted(row.patrols, "patrol"), `at most ${row.max_patrols}`];
  openDialog("officer", name, (close) => [
    make("p", { class: "soft", text: `${about.filter(Boolean).join(", ")}.` }),
    absences(row, close),
    awayForm(row, close),
    make("fieldset", {}, make("legend", { text: "Something else to do" }), appointmentList(row, close), appointmentForm(row, close)),
    make("div", { class: "actions" }, button("Add a patrol: pick up", () => {
      close();
      pickUp({ officer: name }, null);
      one('#grid [tabindex="0"]')?.focus();
    })),
  ]);
};
