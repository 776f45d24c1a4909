// Places tasked or barred, hotspots that are watched, and squares that pupils fear: who meets each, or
// why nobody does.

import { button, make, one } from "./dom.js";
import { lookAt, lookAtHotspot } from "./map.js";
import { changeAndShow, swapsButton } from "./outcome.js";
import { named, store } from "./store.js";
import { counted, dayName, schoolName, shortDay } from "./words.js";

/** A hotspot with its place. */
const hotspotName = (name) => {
  const place = store.state.doses.find(({ hotspot }) => hotspot === name)?.place;
  return place ? `${name} ${place}` : name;
};

/** Who makes a visit, in few words. */
const visitorName = ({ officer, urn, date, arrive }) => `${shortDay(date)} ${arrive} ${officer}, ${schoolName(urn)}`;

const MOST_VISITORS = 3;

/** Who meets a demand: the first few of many. */
const visitorNames = (met) => {
  const more = met.length - MOST_VISITORS;
  return `${met.slice(0, MOST_VISITORS).map(visitorName).join("; ")}${more > 0 ? ` and ${counted(more, "more visit")}` : ""}`;
};

/** One demand: met by whom, or not met and why, with the way to swaps. */
const demandRow = (demand, { short = false } = {}) => {
  const { date, place, visits, met_by: met, why, words } = demand;
  const isMet = met.length >= visits;
  const when = date ? shortDay(date) : "any day";
  const state = !visits && !met.length ? "patrolled in the week before" : isMet ? "met" : met.length ? `${met.length} of ${visits} visits` : "not met";
  return make(
    "li", { class: `demand-row${isMet ? "" : " unmet"}` },
    make("b", { text: `${short ? when : words || hotspotName(place)}: ${state}` }),
    met.length ? `, ${visitorNames(met)}` : null,
    why ? make("span", { class: "why", text: `. ${named(why)}` }) : null,
    isMet ? null : swapsButton({ place, date }, `${place}${date ? `, ${dayName(date)}` : ""}`),
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

/** One tasked or barred place of the list. */
const placeRow = (place, demands) => {
  const schools = place.schools.includes("*") ? "all schools" : place.schools.map(schoolName).join(", ");
  const what = { kind: "untask", place_id: place.place_id };
  const mine = demands.filter((demand) => demand.kind === "tasked" && demand.place === place.place_id);
  const asks = place.must_visit ? wishes(place) : [];
  return make(
    "li", { class: "place" },
    make("p", {}, make("b", { text: `${place.place_id}, ${place.must_visit ? "must be visited" : "barred"}` }), `: ${place.reason}`),
    asks.length ? make("p", { text: `${asks.join(", ")}.` }) : null,
    make("p", { class: "soft", text: `${dayName(place.from)} to ${dayName(place.to)}, ${schools}, requested by ${place.by}` }),
    mine.length ? make("ul", { class: "demands" }, mine.map((demand) => demandRow(demand, { short: true }))) : null,
    make(
      "div", { class: "actions" },
      button("Show", () => lookAt(place.longitude, place.latitude, `${place.place_id}: ${place.reason}`), { "aria-label": `Show ${place.place_id} on the map` }),
      button("Remove", () => changeAndShow(what, () => one("#list").focus()), { "aria-label": `Remove ${place.place_id}` }),
    ),
  );
};

/** The places as they are now. */
export const placeRows = ({ tasked, demands }) => [
  make("h3", { text: "Places now" }),
  tasked.length ? make("ul", { class: "rows" }, tasked.map((place) => placeRow(place, demands))) : make("p", { text: "No place is tasked or barred." }),
];

/** A heading, how many demands of a kind are met, and a row each; hotspots can be shown. */
const demandSection = ({ title, noun, each }, demands) => {
  if (!demands.length) return [];
  return [
    make("h3", { text: title }),
    make("p", { class: "soft", text: `${counted(demands.length, noun)}, each ${each}; ${countUnmet({ demands }) ? `${countUnmet({ demands })} not met` : "all met"}.` }),
    make("ul", { class: "rows" }, demands.map((demand) => {
      const row = demandRow(demand);
      const { place } = demand;
      if (noun === "hotspot") row.append(button("Show", () => lookAtHotspot(place), { "aria-label": `Show ${place} on the map`, class: "link" }));
      return row;
    })),
  ];
};

/** The demands of each kind; tasked places are listed by themselves. */
export const demandRows = ({ demands, demand_kinds: kinds }) => kinds.flatMap(
  (words) => demandSection(words, demands.filter(({ kind }) => kind === words.kind)),
);

/** How many demands are not met. */
export const countUnmet = ({ demands }) => demands.filter(({ met_by: met, visits }) => met.length < visits).length;
