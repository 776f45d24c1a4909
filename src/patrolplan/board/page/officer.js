// One officer: away and back again, what else they have to do, and a patrol to add.

import { pickUp } from "./carry.js";
import { button, choice, labelled, make, openDialog } from "./dom.js";
import { changeAndShow } from "./outcome.js";
import { store } from "./store.js";
import { appointmentName, counted, dayName, inWords, kindName, schoolName, shortDay } from "./words.js";

const KINDS = ["leave", "sick", "court", "training", "assembly", "meeting", "interview", "home_visit", "event"];
const AT_SCHOOL = new Set(["assembly", "meeting", "interview", "event"]);
const NO_HOURS = "09:00-17:00";

/** The week's day that is today, or its first. */
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
  const press = (day) => buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.day === day)));
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
  const first = dayPicker("First day", (day) => {
    Object.assign(span, { from: day, to: span.to < day ? day : span.to });
    show();
  });
  const last = dayPicker("Last day", (day) => {
    Object.assign(span, { to: day, from: span.from > day ? day : span.from });
    show();
  });
  show();
  return make("fieldset", {}, make("legend", { text: "Away" }), first.group, last.group, go);
};

/** The days on which an officer is away, each run with the way back. */
const absences = (row, close) => {
  const dates = store.state.week.days.map(({ date }) => date).filter((date) => row.absent.includes(date));
  if (!dates.length) return null;
  const what = { kind: "back", officer: row.officer, from: dates[0], to: dates.at(-1) };
  return make(
    "div", { class: "line" },
    make("p", { text: `Away: ${dates.map(shortDay).join(", ")}.` }),
    button("Back again", () => changeAndShow(what, close), { "aria-label": inWords(what) }),
  );
};

/** The appointments of an officer, each with the way to take it off. */
const appointmentList = (row, close) => {
  const rows = Object.entries(row.appointments).flatMap(([date, mine]) => mine.map((one) => ({ ...one, date })));
  if (!rows.length) return null;
  return make("ul", { class: "rows sided" }, rows.map((one) => {
    const what = { kind: "unappoint", officer: row.officer, date: one.date, from: one.from };
    const where = one.urn ? `, ${schoolName(one.urn)}` : "";
    return make(
      "li", {}, make("span", { text: `${shortDay(one.date)}: ${appointmentName(one)}${where}` }),
      one.removable ? button("Remove", () => changeAndShow(what, close), { "aria-label": inWords(what) }) : null,
    );
  }));
};

/** The form of an appointment: what, which day, from when to when, and where if it is at a school. */
const appointmentForm = (row, close) => {
  const day = choice(store.state.week.days.map(({ date, name }) => [date, name]), { id: "appoint-day" });
  const what = choice(KINDS.map((kind) => [kind, kindName(kind)]), { id: "appoint-what" });
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

/** Who somebody is, in few words. */
const about = (row) => [row.role !== "officer" && row.role, !row.alone && "not alone", counted(row.patrols, "patrol"), `at most ${row.max_patrols}`].filter(Boolean).join(", ");

/** Open what can be done with an officer. */
export const openOfficer = (name) => {
  const row = store.state.officers.find(({ officer }) => officer === name);
  if (!row) return;
  let dialog = null;
  const close = () => dialog.close();
  dialog = openDialog(
    "officer", name,
    make("p", { class: "soft", text: `${about(row)}.` }),
    absences(row, close),
    awayForm(row, close),
    make("fieldset", {}, make("legend", { text: "Something else to do" }), appointmentList(row, close), appointmentForm(row, close)),
    make("div", { class: "actions" }, button("Add a patrol: pick up", () => {
      close();
      pickUp({ officer: name }, null);
      document.querySelector('#grid [tabindex="0"]')?.focus();
    })),
  );
};
