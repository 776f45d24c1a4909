// Places tasked or barred by intelligence: the list, and the form that takes points from the map.

import { button, choice, labelled, make, one } from "./dom.js";
import { drawPlaces, knownPlaces, lookAt, takePoints } from "./map.js";
import { say } from "./say.js";
import { change, store } from "./store.js";
import { dayName, inWords, schoolName } from "./words.js";

const form = { values: null };

/** A new place's values: this week, all schools, must be visited. */
const fresh = (state) => {
  const used = new Set(state.tasked.map(({ place_id: id }) => id));
  let number = state.tasked.length + 1;
  while (used.has(`T-${String(number).padStart(2, "0")}`)) number += 1;
  return {
    id: `T-${String(number).padStart(2, "0")}`, at: "", must: "true", schools: "*", from: state.week.days[0].date, to: state.week.days.at(-1).date, reason: "", by: "",
  };
};

/** Longitude and latitude of "0.8715, 51.5307"; null when it is none. */
export const readPlace = (text) => {
  const words = text.trim().split(/[\s,;]+/);
  const [longitude, latitude] = words.map(Number);
  const right = words.length === 2 && words[0] && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  return right ? { longitude, latitude } : null;
};

/** A place was pointed at on the map. */
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

/** One tasked place of the list. */
const placeRow = (place) => {
  const schools = place.schools.includes("*") ? "all schools" : place.schools.map(schoolName).join(", ");
  const what = { kind: "untask", place_id: place.place_id };
  return make(
    "li", { class: "place" },
    make("p", {}, make("b", { text: `${place.place_id}, ${place.must_visit ? "must be visited" : "barred"}` }), `: ${place.reason}`),
    make("p", { class: "soft", text: `${dayName(place.from)} to ${dayName(place.to)}, ${schools}, requested by ${place.by}` }),
    make(
      "div", { class: "actions" },
      button("Show", () => lookAt(place.longitude, place.latitude, `${place.place_id}: ${place.reason}`), { "aria-label": `Show ${place.place_id} on the map` }),
      button("Remove", () => change(what, inWords(what)), { "aria-label": `Remove ${place.place_id}` }),
    ),
  );
};

/** Send the form. */
const submit = async (event) => {
  event.preventDefault();
  const { values } = form;
  const at = readPlace(values.at);
  const wrong = [
    [!at, "#place-at", "the place is longitude and latitude, such as 0.8715, 51.5307"],
    [!values.reason.trim(), "#place-reason", "write the reason"],
    [!values.by.trim(), "#place-by", "write who asks for it"],
    [!values.from || !values.to || values.to < values.from, "#place-to", "the last day comes before the first, or is missing"],
  ].find(([is]) => is);
  if (wrong) {
    say(wrong[2], { problem: true });
    one(wrong[1]).focus();
    return;
  }
  const what = {
    kind: "task", place_id: values.id, ...at, must_visit: values.must === "true", schools: [values.schools],
    from: values.from, to: values.to, reason: values.reason.trim(), by: values.by.trim(),
  };
  if (await change(what, inWords(what))) {
    form.values = fresh(store.state);
    redraw();
    one("#place-at")?.focus();
  }
};

// Draws the list of places again; set when the list is shown.
let redraw = () => {};

/** The list of places and the form for another. */
export const drawPlacesList = (state, again) => {
  redraw = again;
  form.values ??= fresh(state);
  const { values } = form;
  const keep = (name) => ({ target }) => { values[name] = target.value; if (name === "at") mark(); };
  const field = (name, attributes) => make("input", { id: `place-${name}`, value: values[name], on: { input: keep(name) }, "data-focus": `t|${name}`, autocomplete: "off", ...attributes });
  const pick = (name, options) => {
    const select = choice(options, { id: `place-${name}`, on: { change: keep(name) }, "data-focus": `t|${name}` });
    select.value = values[name];
    return select;
  };
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
  takePoints(pointed);
  mark();
  return [
    make("p", { class: "soft", text: "Press the map to point at a place; or go to the map, move it under the cross with the arrow keys and press Enter; or choose or type it here." }),
    make(
      "form", { id: "new-place", novalidate: true, on: { submit } },
      make("h3", { text: "Task or bar a place" }),
      make(
        "div", { class: "fields" },
        labelled("Place (longitude, latitude)", field("at", { type: "text", inputmode: "decimal" })),
        labelled("or a hotspot or school", known),
        labelled("What", pick("must", [["true", "must be visited"], ["false", "barred: keep away"]])),
        labelled("For", pick("schools", [["*", "all schools"], ...state.schools.map(({ urn, name }) => [urn, name])])),
        labelled("From", field("from", { type: "date" })),
        labelled("Last day", field("to", { type: "date" })),
        labelled("Reason", field("reason", { type: "text", maxlength: "300" })),
        labelled("Who asks", field("by", { type: "text", maxlength: "120" })),
      ),
      make("button", { type: "submit", class: "primary", text: "Save the place" }),
    ),
    make("h3", { text: "Places now" }),
    state.tasked.length ? make("ul", { class: "rows" }, state.tasked.map(placeRow)) : make("p", { text: "No place is tasked or barred." }),
  ];
};
