// The form of a place that is tasked or barred: found by words, pressed on the map, or chosen.

import { choice, labelled, make, one } from "./dom.js";
import { placeFinder } from "./finder.js";
import { drawPlaces, knownPlaces, lookAt, takePoints } from "./map.js";
import { changeAndShow } from "./outcome.js";
import { demandRows, placeRows } from "./places_list.js";
import { say } from "./say.js";
import { store } from "./store.js";

const WEEKDAYS = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"]];
const form = { values: null };

/** A new place's values: this week, all schools, must be visited once a day. */
const fresh = (state) => {
  const used = new Set(state.tasked.map(({ place_id: id }) => id));
  let number = state.tasked.length + 1;
  while (used.has(`T-${String(number).padStart(2, "0")}`)) number += 1;
  return {
    id: `T-${String(number).padStart(2, "0")}`, find: "", at: "", must: "true", schools: new Set(), from: state.week.days[0].date, to: state.week.days.at(-1).date,
    hours_from: "", hours_to: "", minutes: "", visits: "1", officers: "1", weekdays: new Set(WEEKDAYS.map(([day]) => day)), reason: "", by: "",
  };
};

/** Longitude and latitude of "0.8715, 51.5307"; null when it is none. */
export const readPlace = (text) => {
  const words = text.trim().split(/[\s,;]+/);
  const [longitude, latitude] = words.map(Number);
  const right = words.length === 2 && words[0] && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  return right ? { longitude, latitude } : null;
};

/** A place was pointed at on the map, chosen or found. */
const pointed = ([latitude, longitude], where) => {
  const text = `${longitude.toFixed(6)}, ${latitude.toFixed(6)}`;
  form.values.at = text;
  const field = one("#place-at");
  if (field) field.value = text;
  mark();
  say(`Place set from ${where}: ${text}.`);
};

/** Draw the places and the one being entered. */
const mark = () => {
  const at = form.values && readPlace(form.values.at);
  drawPlaces(store.state, at ? [at.latitude, at.longitude] : null);
};

/** Leave the form: the map is for looking again. */
export const leavePlaces = () => {
  takePoints(null);
  if (store.state) drawPlaces(store.state);
};

/** What is wrong with the form: the field, and the words; null where nothing is. */
const findWrong = (values, at) => [
  [!at, "#find-place", "say where: find the place, press the map, or write longitude and latitude"],
  [!values.hours_from !== !values.hours_to || (values.hours_from && values.hours_to <= values.hours_from), "#place-hours_to", "the hours end before they begin, or one of the two is missing"],
  [values.minutes && !(Number(values.minutes) >= 1 && Number(values.minutes) <= 999), "#place-minutes", "minutes are a number from 1 to 999"],
  [!values.weekdays.size, "#place-weekdays input", "choose a day of the week at least"],
  [!values.reason.trim(), "#place-reason", "write the reason"],
  [!values.by.trim(), "#place-by", "write who asks for it"],
  [!values.from || !values.to || values.to < values.from, "#place-to", "the last day comes before the first, or is missing"],
].find(([is]) => is);

/** Send the form. */
const submit = async (event) => {
  event.preventDefault();
  const { values } = form;
  const at = readPlace(values.at);
  const wrong = findWrong(values, at);
  if (wrong) {
    say(wrong[2], { problem: true });
    one(wrong[1]).focus();
    return;
  }
  const must = values.must === "true";
  const what = {
    kind: "task", place_id: values.id, ...at, must_visit: must, schools: values.schools.size ? [...values.schools] : ["*"],
    from: values.from, to: values.to, reason: values.reason.trim(), by: values.by.trim(),
    ...(must ? {
      hours: values.hours_from ? `${values.hours_from}-${values.hours_to}` : "", minutes: values.minutes ? Number(values.minutes) : null,
      visits: Number(values.visits), officers: Number(values.officers), weekdays: [...values.weekdays],
    } : {}),
  };
  await changeAndShow(what, () => {
    form.values = fresh(store.state);
    redraw();
    one("#find-place")?.focus();
  });
};

// Draws the list of places again; set when the list is shown.
let redraw = () => {};

/** Boxes to tick, of which a set holds those that are. */
const ticks = (id, legend, options, set) => make(
  "fieldset", { id, class: "ticks" }, make("legend", { text: legend }),
  options.map(([value, text]) => make("label", { class: "tick" }, make("input", {
    type: "checkbox", checked: set.has(value), "data-focus": `t|${id}|${value}`,
    on: { change: ({ target }) => (target.checked ? set.add(value) : set.delete(value)) },
  }), text)),
);

/** The form for another place. */
const placeForm = (state) => {
  const { values } = form;
  const keep = (name) => ({ target }) => { values[name] = target.value; if (name === "at") mark(); };
  const field = (name, attributes) => make("input", { id: `place-${name}`, value: values[name], on: { input: keep(name) }, "data-focus": `t|${name}`, autocomplete: "off", ...attributes });
  const pick = (name, options) => {
    const select = choice(options, { id: `place-${name}`, on: { change: keep(name) }, "data-focus": `t|${name}` });
    select.value = values[name];
    return select;
  };
  const finder = placeFinder(({ label, longitude, latitude }) => {
    pointed([latitude, longitude], label);
    lookAt(longitude, latitude);
  }, { "data-focus": "t|find", value: values.find });
  finder.words.addEventListener("input", keep("find"));
  const known = choice([["", "choose …"], ...knownPlaces()], {
    "data-focus": "t|known",
    on: {
      change: ({ target }) => {
        if (!target.value) return;
        const [longitude, latitude] = target.value.split(",").map(Number);
        pointed([latitude, longitude], target.selectedOptions[0].textContent);
        lookAt(longitude, latitude);
      },
    },
  });
  const demand = make(
    "div", { class: "demand", hidden: values.must !== "true" },
    make(
      "div", { class: "fields" },
      labelled("Between", field("hours_from", { type: "time" })),
      labelled("and", field("hours_to", { type: "time" })),
      labelled("Minutes there", field("minutes", { type: "number", min: "1", max: "999", placeholder: "by the settings" })),
      labelled("Visits a day", pick("visits", Array.from({ length: 9 }, (_, at) => [String(at + 1), String(at + 1)]))),
      labelled("Officers together", pick("officers", [["1", "1"], ["2", "2"]])),
    ),
    ticks("place-weekdays", "On", WEEKDAYS, values.weekdays),
  );
  const must = pick("must", [["true", "must be visited"], ["false", "barred: keep away"]]);
  must.addEventListener("change", () => { demand.hidden = must.value !== "true"; });
  const schools = ticks("place-schools", "Only these schools serve it", state.schools.map(({ urn, name }) => [urn, name]), values.schools);
  return make(
    "form", { id: "new-place", novalidate: true, on: { submit } },
    make("h3", { text: "Task or bar a place" }),
    make("div", { class: "finder" }, labelled("Find a place", finder.words), finder.go),
    finder.found,
    make(
      "div", { class: "fields" },
      labelled("Longitude, latitude", field("at", { type: "text", inputmode: "decimal" })),
      labelled("or a hotspot or school", known),
      labelled("What", must),
    ),
    demand,
    make("details", { open: values.schools.size > 0 }, make("summary", { text: "Schools: all, or only some" }), schools),
    make(
      "div", { class: "fields" },
      labelled("From", field("from", { type: "date" })),
      labelled("Last day", field("to", { type: "date" })),
      labelled("Reason", field("reason", { type: "text", maxlength: "300" })),
      labelled("Who asks", field("by", { type: "text", maxlength: "120" })),
    ),
    make("button", { type: "submit", class: "primary", text: "Save the place" }),
  );
};

/** The list of places and demands, and the form for another. */
export const drawPlacesList = (state, again) => {
  redraw = again;
  form.values ??= fresh(state);
  takePoints(pointed);
  mark();
  return [
    make("p", { class: "soft", text: "Find a place by its street, postcode or grid reference; or press the map; or go to the map, move it under the cross with the arrow keys and press Enter." }),
    placeForm(state),
    placeRows(state),
    demandRows(state),
  ];
};
