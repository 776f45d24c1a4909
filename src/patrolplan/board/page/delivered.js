// Minutes delivered at each stop: one line of numbers a patrol, Enter for as promised.

import { choice, findFocus, make, one, unseen } from "./dom.js";
import { send, store } from "./store.js";
import { dayName, idOf, keyOf, patrolName, promised, schoolName } from "./words.js";

/** Why stops had fewer minutes than planned, as the ledger has it. */
const WHY_FEWER = ["abstracted", "sick", "incident", "weather", "other"];

/** The numbers of a line; the minutes planned where it is empty. */
const readMinutes = (text, patrol) => {
  const words = text.trim().split(/[\s,;]+/).filter(Boolean);
  return words.length ? words.map(Number) : promised(patrol);
};

const deliveredLine = (patrol) => {
  const minutes = make("input", {
    type: "text", inputmode: "numeric", autocomplete: "off", class: "minutes", pattern: "[0-9.,; ]*", title: "Numbers of minutes, one a stop",
    placeholder: promised(patrol).join(" "), value: patrol.delivered ? patrol.delivered.join(" ") : "",
    "aria-label": `Minutes at each stop, ${patrolName(patrol)}; empty means the minutes planned`, data: { focus: `n|${idOf(patrol)}` },
  });
  const people = make("input", {
    type: "number", min: "0", max: "999", class: "people", value: patrol.engagements ?? "",
    placeholder: "people", "aria-label": `People spoken to, ${patrolName(patrol)}`, data: { focus: `e|${idOf(patrol)}` },
  });
  const came = make("input", {
    type: "number", min: "1", max: "99", class: "people", placeholder: `${1 + patrol.crew.length} came`,
    "aria-label": `How many of us came, ${patrolName(patrol)}; empty means as planned`, data: { focus: `c|${idOf(patrol)}` },
  });
  const reason = choice([["", "why fewer?"], ...WHY_FEWER.map((word) => [word, word])], {
    "aria-label": `Why fewer minutes than planned, ${patrolName(patrol)}`, data: { focus: `w|${idOf(patrol)}` },
  });
  const save = async (event) => {
    event.preventDefault();
    const number = ({ value }) => (value === "" ? null : Number(value));
    const doses = { duty: keyOf(patrol), minutes: readMinutes(minutes.value, patrol), engagements: number(people), people: number(came), reason: reason.value || null };
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
