// What a change did to the cards, the further moves that are offered, and swaps for a gap.

import { all, button, make, openDialog } from "./dom.js";
import { change, gainName, inTurn, isRefused, named, say, send, store, tell } from "./store.js";
import { counted, dayName, patrolName, windowOf } from "./words.js";

const SIGNS = { withdrawn: ["−", "Withdraw"], new: ["+", "New"], changed: ["~", "Changed"] };
let isAwaited = false;

const cardList = (cards) => make("ul", { class: "rows cards" }, cards.map((card) => {
  const [sign, word] = SIGNS[card.kind];
  const crew = card.company ? `, with ${card.company}` : "";
  return make(
    "li", { class: `card ${card.kind}` },
    make("b", { text: sign, "aria-hidden": "true" }),
    make("span", {}, make("b", { text: `${word}: ` }), `${patrolName(card)}, ${card.start}${windowOf(card)}, route ${card.variant + 1}${crew}`),
  );
}));

const offerList = (offers, doIt, close) => make("ol", { class: "rows offers" }, offers.map((offer) => make(
  "li", {},
  make("p", {}, make("b", { text: `${gainName(offer.gain_percent)}` }), `, ${counted(offer.changes.length, "card")} to print or withdraw`),
  cardList(offer.changes),
  button(doIt, async () => {
    if (await send("/api/offers/take", { id: offer.id })) close();
  }, { class: "primary", "aria-label": `${doIt}: ${gainName(offer.gain_percent)}` }),
)));

/** Make a change whose outcome is shown when it is known. */
export const changeAndShow = async (what, close) => {
  isAwaited = true;
  isAwaited = await change(what);
  if (isAwaited) close();
};

/** Show what came of the change that this window waits for. */
export const showOutcome = () => {
  const { outcome } = store.state;
  if (!isAwaited || !outcome) return;
  isAwaited = false;
  const { cards, offers } = outcome;
  openDialog("outcome", "What changed", (close) => [
    make("p", { text: named(outcome.message) }),
    cards.length && cardList(cards),
    make("p", { class: "soft", text: cards.length ? "Everything else stays as it is." : "No card changes." }),
    offers.length && [make("h3", { text: "Further moves, if you wish" }), offerList(offers, "Make this move", close)],
    make(
      "div", { class: "actions" },
      button("Undo: bring all back", async () => { if (await send("/api/undo")) close(); }),
      button("Leave it so", close, { class: offers.length ? null : "primary" }),
    ),
  ]);
};

/** Open the best swaps for a gap: a school and a day, a place to be visited, or a hotspot. */
const openSwaps = async (gap, title) => {
  say("Looking for swaps …");
  const answer = await inTurn(() => tell("/api/offers", { version: store.state.version, ...gap }));
  if (isRefused(answer)) return;
  const { offers } = answer.body;
  say(offers.length ? `${counted(offers.length, "swap")} found.` : "No swap fills this gap.");
  all("dialog[open]").forEach((open) => open.close());
  openDialog("swaps", `Best swaps: ${title}`, (close) => [
    make("p", { text: offers.length ? "The best first. Each is one change, which can be undone." : "No swap of one or two cards fills this gap under the rules." }),
    offers.length && offerList(offers, "Make this swap", close),
  ]);
};

export const swapsButton = (gap, title, attributes = {}) => button("Best swaps", () => openSwaps(gap, title), { "aria-label": `Best swaps: ${title}`, ...attributes });
export const gapTitle = (name, date) => `${name}, ${dayName(date)}`;
