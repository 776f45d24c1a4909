// Places that are tasked or barred: the form for another one, found by words, pressed on the map or
// chosen; and who meets each demand, or why nobody does.

import { button, choice, labelled, make, one } from "./dom.js";
import { drawPlaces, lookAt, lookAtHotspot, takePoints } from "./map.js";
import { changeAndShow, swapsButton } from "./planning.js";
import { ask, counted, dayName, isRefused, named, say, schoolName, shortDay, store } from "./store.js";

const WEEKDAYS = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"]];
const FAR_METRES = 5;
const MOST_VISITORS = 3;
const MOST_UNMET = 4;
const ALL_MET = "All is met: each school has its patrols, each place its visits, each street with most risk a stop.";
/** The form is made once: what is typed stays while the lists are drawn again. */
const form = { element: null, redraw: () => {} };
const drawn = { unmet: "" };

/** The first name that no tasked place has. */
const freshName = ({ tasked }) => {
  const used = new Set(tasked.map(({ place_id: id }) => id));
  return tasked.concat(null).map((_, at) => `T-${String(at + 1).padStart(2, "0")}`).find((name) => !used.has(name));
};

/** Longitude and latitude of "0.8715, 51.5307"; null when it is none. */
const readPlace = (text) => {
  const words = text.trim().split(/[\s,;]+/);
  const [longitude, latitude] = words.map(Number);
  const right = words.length === 2 && words[0] && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  return right ? { longitude, latitude } : null;
};

const mark = () => {
  const at = readPlace(one("#place-at", form.element).value);
  drawPlaces(store.state, at && [at.latitude, at.longitude]);
};

/** A place was pointed at on the map, chosen or found. */
const pointed = ([latitude, longitude], where) => {
  const text = `${longitude.toFixed(6)}, ${latitude.toFixed(6)}`;
  one("#place-at", form.element).value = text;
  mark();
  say(`Place set from ${where}: ${text}.`);
};

/** Leave the form: the map is for looking again. */
export const leavePlaces = () => {
  takePoints(null);
  drawPlaces(store.state);
};

const submit = async (event) => {
  event.preventDefault();
  const typed = new FormData(event.target); // without what is disabled
  const value = (name) => String(typed.get(name) ?? "").trim();
  const [at, weekdays, schools] = [readPlace(value("at")), typed.getAll("weekdays"), typed.getAll("schools")];
  const must = value("must") === "true";
  const wrong = [
    [!at, "#find-place", "say where: find the place, press the map, or write longitude and latitude"],
    [!value("hours_from") !== !value("hours_to"), "#place-hours_to", "write both hours, or none"],
    [must && !weekdays.length, "#place-weekdays input", "choose a day of the week at least"],
  ].find(([is]) => is);
  if (wrong) {
    say(wrong[2], { problem: true });
    one(wrong[1]).focus();
    return;
  }
  const what = {
    kind: "task", place_id: freshName(store.state), ...at, must_visit: must, schools: schools.length ? schools : ["*"],
    from: value("from"), to: value("to"), reason: value("reason"), by: value("by"),
    ...(must ? {
      hours: value("hours_from") && `${value("hours_from")}-${value("hours_to")}`, minutes: Number(value("minutes")) || null,
      visits: Number(value("visits")), officers: Number(value("officers")), weekdays,
    } : {}),
  };
  await changeAndShow(what, () => {
    form.element = null;
    form.redraw();
    one("#find-place")?.focus();
  });
};

/** Boxes to tick, all of them ticked at first or none. */
const ticks = (name, legend, options, checked) => make(
  "fieldset", { id: `place-${name}`, class: "ticks" }, make("legend", { text: legend }),
  options.map(([value, text]) => make("label", { class: "tick" }, make("input", { type: "checkbox", name, value, checked, "data-focus": `t|${name}|${value}` }), text)),
);

/** A field that finds places, and what it found; a place that is pressed, or the only one, is set. */
const placeFinder = () => {
  const nameOf = ({ label, street_metres: metres }) => (metres < FAR_METRES ? label : `${label}, ${Math.round(metres)} m to the nearest street`);
  const choose = ({ label, longitude, latitude }) => {
    pointed([latitude, longitude], label);
    lookAt([latitude, longitude]);
  };
  const found = make("ul", { class: "rows found", "aria-label": "Places found" });
  const find = async (event) => {
    event.preventDefault();
    const text = words.value.trim();
    if (!text) {
      say("write a street or a grid reference", { problem: true });
      words.focus();
      return;
    }
    const answer = await ask(`/api/places?text=${encodeURIComponent(text)}`);
    if (isRefused(answer)) return;
    const { places } = answer.body;
    found.replaceChildren(...places.map((place) => make("li", {}, button(nameOf(place), () => choose(place), { class: "link" }))));
    say(places.length ? `${counted(places.length, "place")} found for ${text}.` : `no place '${text}' is known here: press the map, or write it otherwise`, { problem: !places.length });
    if (places.length === 1) choose(places[0]);
    else one("button", found)?.focus();
  };
  const words = make("input", {
    type: "search", id: "find-place", autocomplete: "off", maxlength: "200", placeholder: "High Street, E3, TQ 301 812", "data-focus": "t|find",
  });
  return [make("form", { class: "finder", on: { submit: find } }, labelled("Find a place", words), make("button", { type: "submit", text: "Find" })), found];
};

const placeForm = (state) => {
  const called = (name) => ({ id: `place-${name}`, name, "data-focus": `t|${name}` });
  const field = (name, attributes) => make("input", { ...called(name), autocomplete: "off", ...attributes });
  const pick = (name, options) => choice(options, called(name));
  const demand = make(
    "fieldset", { class: "demand", "aria-label": "How it is visited" },
    make(
      "div", { class: "fields" },
      labelled("Between", field("hours_from", { type: "time" })),
      labelled("and", field("hours_to", { type: "time" })),
      labelled("Minutes there", field("minutes", { type: "number", min: "1", max: "999", placeholder: "by the settings" })),
      labelled("Visits a day", pick("visits", Array.from({ length: 9 }, (_, at) => [String(at + 1), String(at + 1)]))),
      labelled("Officers together", pick("officers", [["1", "1"], ["2", "2"]])),
    ),
    ticks("weekdays", "On", WEEKDAYS, true),
  );
  const must = pick("must", [["true", "must be visited"], ["false", "barred: keep away"]]);
  must.addEventListener("change", () => { demand.disabled = demand.hidden = must.value !== "true"; }); // so that nothing unseen is checked
  const schools = ticks("schools", "Only these schools serve it", state.schools.map(({ urn, name }) => [urn, name]), false);
  const { days } = state.week;
  return make(
    "form", { id: "new-place", on: { submit } },
    make(
      "div", { class: "fields" },
      labelled("Longitude, latitude", field("at", { type: "text", inputmode: "decimal", on: { input: mark } })),
      labelled("What", must),
    ),
    demand,
    make("details", {}, make("summary", { text: "Schools: all, or only some" }), schools),
    make(
      "div", { class: "fields" },
      labelled("From", field("from", { type: "date", value: days[0].date, required: true })),
      labelled("Last day", field("to", { type: "date", value: days.at(-1).date, required: true })),
      labelled("Reason", field("reason", { type: "text", maxlength: "300", required: true })),
      labelled("Who asks", field("by", { type: "text", maxlength: "120", required: true })),
    ),
    make("button", { type: "submit", class: "primary", text: "Save the place" }),
  );
};

/** Who meets a demand: the first few of many. */
const visitorNames = (met) => {
  const more = met.length - MOST_VISITORS;
  const names = met.slice(0, MOST_VISITORS).map(({ officer, urn, date, arrive }) => `${shortDay(date)} ${arrive} ${officer}, ${schoolName(urn)}`);
  return `${names.join("; ")}${more > 0 ? ` and ${counted(more, "more visit")}` : ""}`;
};

const nameDemanded = ({ kind, place, words }) => (kind === "feared" ? words : `${place} ${words}`);
const capitalised = (text) => text[0].toUpperCase() + text.slice(1);

/** One demand: met by whom, or not met and why, with the way to swaps. */
const demandRow = ({ kind, date, place, visits, met_by: met, why, words }, { short = false } = {}) => {
  const isMet = met.length >= visits;
  const when = date ? shortDay(date) : "any day";
  const state = !visits && !met.length ? "patrolled in the week before" : isMet ? "met" : met.length ? `${met.length} of ${visits} visits` : "not met";
  return make(
    "li", { class: `demand-row${isMet ? "" : " unmet"}` },
    make("b", { text: `${short ? when : nameDemanded({ kind, place, words })}: ${state}` }),
    met.length && `, ${visitorNames(met)}`,
    why && make("span", { class: "why", text: `. ${capitalised(named(why))}.` }),
    !isMet && swapsButton({ place, date }, `${place}${date ? `, ${dayName(date)}` : ""}`),
  );
};

/** What a place asks for beyond a visit on every day. */
const wishes = (place) => [
  place.hours && `between ${place.hours.replace("-", " and ")}`,
  place.minutes && `${place.minutes} minutes`,
  place.visits > 1 && `${place.visits} visits a day`,
  place.officers > 1 && `${place.officers} officers together`,
  place.weekdays.length < 5 && place.weekdays.map((day) => day[0].toUpperCase() + day.slice(1)).join(", "),
].filter(Boolean);

const placeRow = (place, demands) => {
  const { place_id: id, must_visit: must, latitude, longitude, reason } = place;
  const schools = place.schools.includes("*") ? "all schools" : place.schools.map(schoolName).join(", ");
  const mine = demands.filter((demand) => demand.kind === "tasked" && demand.place === id);
  const asks = must ? wishes(place) : [];
  return make(
    "li", { class: "place" },
    make("p", {}, make("b", { text: `${id}, ${must ? "must be visited" : "barred"}` }), `: ${reason}`),
    asks.length && make("p", { text: `${asks.join(", ")}.` }),
    make("p", { class: "soft", text: `${dayName(place.from)} to ${dayName(place.to)}, ${schools}, requested by ${place.by}` }),
    mine.length && make("ul", { class: "demands" }, mine.map((demand) => demandRow(demand, { short: true }))),
    make(
      "div", { class: "actions" },
      button("Show", () => lookAt([latitude, longitude], `${id}: ${reason}`), { "aria-label": `Show ${id} on the map` }),
      button("Remove", () => changeAndShow({ kind: "untask", place_id: id }, () => one("#list").focus()), { "aria-label": `Remove ${id}` }),
    ),
  );
};

/** One thing that is not met, why, and what to do; the way to swaps where a visit is missing. */
const unmetRow = ({ kind, what, why, fix, place, date }) => {
  const title = `${what}${date ? `, ${dayName(date)}` : ""}`;
  return make(
    "li", { class: "unmet" },
    make("b", { text: title }),
    make("span", { class: "why", text: `: ${named(why)}. ${fix}. ` }),
    place && kind !== "minimum" && swapsButton({ place, date }, title),
  );
};

/** All that is not met but single days; all but the first few are folded away. */
export const drawUnmet = (state) => {
  const unmet = state.unmet.filter(({ kind }) => kind !== "day" && kind !== "closed");
  const facts = JSON.stringify(unmet);
  if (facts === drawn.unmet) return; // what has the focus keeps it
  drawn.unmet = facts;
  const rows = unmet.map(unmetRow);
  const list = (some) => make("ul", { class: "rows" }, some);
  const more = rows.splice(MOST_UNMET);
  one("#unmet").replaceChildren(
    make("h2", { id: "unmet-title", text: unmet.length ? `Not met: ${unmet.length}` : ALL_MET }),
    list(rows), ...(more.length ? [make("details", {}, make("summary", { text: `${more.length} more` }), list(more))] : []),
  );
};

/** The demands of a kind: a heading, how many are met, and a row each; hotspots can be shown. */
const demandRows = ({ kind, title, noun, each }, all) => {
  const demands = all.filter((demand) => demand.kind === kind);
  if (!demands.length) return [];
  const unmet = demands.filter(({ met_by: met, visits }) => met.length < visits).length;
  return [
    make("h3", { text: title }),
    make("p", { class: "soft", text: `${counted(demands.length, noun)}, each ${each}; ${unmet ? `${unmet} not met` : "all met"}.` }),
    make("ul", { class: "rows" }, demands.map((demand) => {
      const row = demandRow(demand);
      const { place } = demand;
      if (noun === "hotspot") row.append(button("Show", () => lookAtHotspot(place), { "aria-label": `Show ${place} on the map`, class: "link" }));
      return row;
    })),
  ];
};

/** The form for another place, the places as they are now, and the demands; `redraw` draws them again. */
export const drawPlacesList = (state, redraw) => {
  const { tasked, demands, demand_kinds: kinds } = state;
  form.redraw = redraw;
  form.element ??= make("div", {}, placeFinder(), placeForm(state));
  takePoints(pointed);
  mark();
  return [
    make("p", { class: "soft", text: "Find a place by its street or grid reference; or press the map; or go to the map, move it under the cross with the arrow keys and press Enter." }),
    make("h3", { text: "Task or bar a place" }),
    form.element,
    make("h3", { text: "Places now" }),
    tasked.length ? make("ul", { class: "rows" }, tasked.map((place) => placeRow(place, demands))) : make("p", { text: "No place is tasked or barred." }),
    kinds.map((kind) => demandRows(kind, demands)),
  ];
};
