// A place found by words: street, junction, postcode, grid reference or degrees.

import { ask } from "./calls.js";
import { button, make, one } from "./dom.js";
import { say } from "./say.js";
import { counted } from "./words.js";

const KINDS = { street: "street", junction: "junction", postcode: "postcode", grid_reference: "grid reference", coordinates: "degrees" };
const FAR_METRES = 5;

/** How a place that was found is named. */
const placeName = ({ label, kind, street_metres: metres }) => {
  const far = metres >= FAR_METRES ? `, ${Math.round(metres)} m to the nearest street` : "";
  return `${label} (${KINDS[kind] ?? kind}${far})`;
};

/** A field that finds places, and what it found; `choose` gets the place pressed. */
export const placeFinder = (choose, attributes = {}) => {
  const found = make("ul", { class: "rows found", "aria-label": "Places found" });
  const words = make("input", { type: "search", id: "find-place", autocomplete: "off", maxlength: "200", placeholder: "High Street, E3, TQ 301 812", ...attributes });
  const find = async () => {
    const text = words.value.trim();
    if (!text) {
      say("write a street, a postcode or a grid reference", { problem: true });
      words.focus();
      return;
    }
    const { status, body } = await ask(`/api/places?text=${encodeURIComponent(text)}`);
    if (status !== 200) {
      say(body.problem, { problem: true });
      return;
    }
    const { places } = body;
    found.replaceChildren(...places.map((place) => make("li", {}, button(placeName(place), () => choose(place), { class: "link" }))));
    say(places.length ? `${counted(places.length, "place")} found for ${text}.` : `no ${KINDS[body.looks_like] ?? "place"} '${text}' is known here: press the map, or write it otherwise`, { problem: !places.length });
    if (places.length === 1) choose(places[0]);
    else one("button", found)?.focus();
  };
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form is not sent yet
    find();
  });
  return { words, go: button("Find", find), found };
};
