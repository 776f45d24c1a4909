// What a change did to the cards, the further moves that are offered, and swaps for a gap.

import { tell } from "./calls.js";
import { all, button, make, openDialog } from "./dom.js";
import { say } from "./say.js";
import { change, inTurn, named, send, store } from "./store.js";
import { counted, dayName, inWords, patrolName, windowOf } from "./words.js";

const SIGNS = { withdrawn: ["−", "Withdraw"], new: ["+", "New"], changed: ["~", "Changed"] };
const awaited = { words: null };

/** One card that goes, comes or changes. */
const cardRow = (card) => {
  const [sign, word] = SIGNS[card.kind] ?? SIGNS.changed;
  const crew = card.company ? `, with ${card.company}` : "";
  return make(
    "li", { class: `card ${card.kind}` },
    make("b", { text: sign, "aria-hidden": "true" }),
    make("span", {}, make("b", { text: `${word}: ` }), `${patrolName(card)}, ${card.start}${windowOf(card)}, route ${card.variant + 1}${crew}`),
  );
};

/** The cards that something changes. */
const cardList = (cards) => make("ul", { class: "rows cards" }, cards.map(cardRow));

/** A gain in worth, in words. */
const gainName = (percent) => {
  if (Math.abs(percent) < 0.05) return "worth stays the same";
  return `worth ${Math.abs(percent).toFixed(1)} % ${percent > 0 ? "more" : "less"}`;
};

/** Offers, each with what it changes and its button. */
const offerList = ({ id, offers }, doIt, close) => make("ol", { class: "rows offers" }, offers.map((offer, number) => make(
  "li", {},
  make("p", {}, make("b", { text: `${gainName(offer.gain_percent)}` }), `, ${counted(offer.changes.length, "card")} to print or withdraw`),
  cardList(offer.changes),
  button(doIt, async () => {
    if (await send("/api/offers/take", { id, number }, `${doIt}: ${offer.changes.map(patrolName).join("; ")}`)) close();
  }, { class: "primary", "aria-label": `${doIt}: ${gainName(offer.gain_percent)}` }),
)));

/** Make a change whose outcome is shown when it is known. */
export const changeAndShow = async (what, close) => {
  awaited.words = inWords(what);
  const done = await change(what, awaited.words);
  if (done) close();
  else awaited.words = null;
  return done;
};

/** Show what came of the change that this window waits for. */
export const showOutcome = () => {
  const { outcome } = store.state;
  const words = awaited.words;
  awaited.words = null;
  if (!words || !outcome) return;
  let dialog = null;
  const close = () => dialog.close();
  const { cards, offers } = outcome;
  dialog = openDialog(
    "outcome", "What changed",
    make("p", { text: named(outcome.message) }),
    cards.length ? cardList(cards) : null,
    make("p", { class: "soft", text: cards.length ? "Everything else stays as it is." : "No card changes." }),
    offers.length ? make("h3", { text: "Further moves, if you wish" }) : null,
    offers.length ? offerList(outcome, "Make this move", close) : null,
    make(
      "div", { class: "actions" },
      button("Undo: bring all back", async () => { if (await send("/api/undo", {}, `Undo: ${words}`)) close(); }),
      button("Leave it so", close, { class: offers.length ? null : "primary" }),
    ),
  );
};

/** Open the best swaps for a gap: a school and a day, a place to be visited, or a hotspot. */
export const openSwaps = async (gap, title) => {
  say("Looking for swaps …");
  const { status, body } = await inTurn(() => tell("/api/offers", { version: store.state.version, ...gap }));
  if (status !== 200) {
    say(status === 409 ? "another window changed the week first; look at it and ask again" : named(body.problem), { problem: true });
    return;
  }
  say(body.offers.length ? `${counted(body.offers.length, "swap")} found.` : "No swap fills this gap.");
  let dialog = null;
  all("dialog[open]").forEach((open) => open.close());
  dialog = openDialog(
    "swaps", `Best swaps: ${title}`,
    make("p", { text: body.offers.length ? "The best first. Each is one change, which can be undone." : "No swap of one or two cards fills this gap under the rules." }),
    body.offers.length ? offerList(body, "Make this swap", () => dialog.close()) : null,
  );
};

/** A button that asks for the best swaps. */
export const swapsButton = (gap, title, attributes = {}) => button("Best swaps", () => openSwaps(gap, title), { "aria-label": `Best swaps: ${title}`, ...attributes });

/** A gap of a school and a day, in words. */
export const gapTitle = (name, date) => `${name}, ${dayName(date)}`;
