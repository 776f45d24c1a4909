// One officer: away and back again, what else they have to do, and a patrol to add.

import { pickUp } from "./carry.js";
import { button, choice, labelled, make, one, openDialog } from "./dom.js";
import { changeAndShow } from "./outcome.js";
import { store } from "./store.js";
import { appointmentName, counted, dayName, plain, schoolName, shortDay } from "./words.js";

const KINDS = ["leave", "sick", "court", "training", "assembly", "meeting", "interview", "home_visit", "event"];
const AT_SCHOOL = new Set(["assembly", "meeting", "interview", "event"]);
const NO_HOURS = "09:00-17:00";

const likelyDay = () => {
  const { days } = store.state.week;
  const now = new Date();
  const today = `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
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
  const day = choice(store.state.week.days.map(({ date, name }) => [date, name]), { id: "appoint-day" });
  const what = choice(KINDS.map((kind) => [kind, plain(kind)]), { id: "appoint-what" });
  const from = make("input", { type: "time", id: "appoint-from", required: true });
  const to = make("input", { type: "time", id: "appoint-to", required: true });
  const school = choice([["", "no school"], ...store.state.schools.map(({ urn, name }) => [urn, name])], { id: "appoint-school" });
  const where = labelled("School", school);
  const show = () => {
    [from.value, to.value] = (row.hours[day.value] || NO_HOURS).split("-");
    where.hidden = !AT_SCHOOL.has(what.value);
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
