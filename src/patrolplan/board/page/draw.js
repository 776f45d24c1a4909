// How the week was drawn, and how well it could be foreseen when it was planned.

import { button, make } from "./dom.js";
import { drawAgain } from "./proposal.js";
import { store } from "./store.js";
import { counted } from "./words.js";

/** A share in percent. */
const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** What is set by hand, in words; empty for nothing. */
const byHand = ({ bans }) => {
  const locks = store.patrols.filter(({ locked }) => locked).length;
  return [locks && counted(locks, "lock"), bans.length && counted(bans.length, "ban")].filter(Boolean).join(" and ");
};

/** How well the week is foreseen as of its last plan, in one sentence. */
export const foreseenWords = (state) => {
  if (!state.draw) return "";
  const { foreseen, with_locks: withLocks } = state.draw;
  if (withLocks === null) return "Foreseen: not counted since the last plan.";
  const hand = byHand(state);
  return hand ? `Foreseen ${percent(foreseen)}; with your ${hand} ${percent(withLocks)}.` : `Foreseen ${percent(withLocks)}.`;
};

/** How the week was drawn, for the list of rules. */
export const drawDraw = (state) => {
  const { draw } = state;
  const heading = make("h3", { text: "The draw" });
  if (!draw) return [heading, make("p", { text: "This week was made by an earlier version and was not drawn. Plan it again, and it is." })];
  const secret = draw.commitment ? make("p", {}, "Commitment: ", make("code", { text: draw.commitment })) : make("p", { class: "problem", text: "Drawn without a secret: anyone with the same data can draw it again." });
  return [
    heading,
    make("p", {}, make("b", { text: `Draw ${draw.number}. ` }), `One week was drawn of all that keep the rules and are at most ${draw.give_most_percent.toFixed(0)} % less good; this one is ${draw.give_percent.toFixed(1)} % less good than the best that was found.`),
    secret,
    make("p", { text: foreseenWords(state), role: "status" }),
    make("p", { class: "soft", text: "Foreseen: the share of visits, by hotspot and quarter of an hour, that somebody could name who knows the data and this program, but not the secret. Every lock tells them more." }),
    make("div", { class: "actions" }, button("Draw again", drawAgain, { id: "draw-again" })),
    make("p", { class: "soft", text: `Drawing again makes draw ${draw.number + 1} as a proposal to compare; its number is on the lead’s sheet, so that drawing twice shows.` }),
  ];
};
