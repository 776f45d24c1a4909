// Planning again around the locks, its proposal and the draw; paper: cards that changed, the rest; and
// what a change did to the cards, the further moves that are offered, and swaps for a gap.

import { all, button, listOf, make, one, openDialog } from "./dom.js";
import { accept, ask, change, counted, dayName, gainName, inTurn, isRefused, named, paperAddress, patrolName, say, send, store, tell, windowOf } from "./store.js";

const EVERY_MILLISECONDS = 500;
let follower = 0;

const signed = (value, noun) => {
  const number = value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "±0";
  return `${number} ${noun}${Math.abs(value) === 1 ? "" : "s"}`;
};

/** What taking it would bring, in few words. */
const gainWords = ({ worth_percent: worth, doses, patrols, short, unmet, cards }) => [
  short && `${signed(short, "school")} below the minimum`,
  unmet && `${signed(unmet, "visit")} not made`,
  Math.abs(worth) >= 0.05 && `${worth >= 0 ? "+" : "−"}${Math.abs(worth).toFixed(1)} % worth`,
  doses && signed(doses, "dose"),
  patrols && signed(patrols, "patrol"),
  cards && `${counted(cards, "card")} to print or withdraw`,
].filter(Boolean);

const TITLES = { better: "A better week", "as good": "No better week: one as good", worse: "A worse week" };

const openProposal = async () => {
  const answer = await ask("/api/proposal");
  if (isRefused(answer)) return;
  const { gains, judgement, changes } = answer.body;
  openDialog("proposal", TITLES[judgement], (close) => {
    const leave = () => { // there is nothing to compare any more, so the focus goes on
      close();
      one("#solve").focus();
    };
    return [
      make("p", { class: "gains" }, make("b", { text: "Taking it brings: " }), `${gainWords(gains).join(", ") || "as much"}. ${goodness(answer.body)}`),
      make(
        "div", { class: "actions" },
        button("Take the proposal", async () => { if (await send("/api/proposal/take")) leave(); }, { class: "primary" }),
        button("Drop it", async () => {
          if (isRefused(await tell("/api/proposal/drop"))) return;
          setProposal(false);
          leave();
          say("The proposal is dropped; the week stays as it is.");
        }),
        button("Decide later", close),
      ),
      make("h3", { text: "What would change" }),
      listOf(changes.length ? changes.map(named) : ["Nothing."]),
    ];
  });
};

const goodness = ({ gap_percent: gap, give_percent: give = 0, bound_known: known = true, status }) => {
  if (!known) return "Not compared with the best possible week since it was changed by hand.";
  if (give >= 0.005 && status === "optimal") return `Drawn: ${give.toFixed(1)} % below the best, which is proven.`;
  if (give >= 0.005) return `Drawn: at most ${(give + gap).toFixed(1)} % below the best.`;
  return gap < 0.005 ? "No better week is possible." : `At most ${gap.toFixed(2)} % below the best.`;
};

const setProposal = (there) => { one("#compare").hidden = !there; };

const drawSolving = (solving) => {
  one("#solving").hidden = !solving;
  one("#solve").hidden = Boolean(solving);
  if (!solving) return;
  one("#seconds").textContent = `${Math.round(solving.seconds)} s`;
  one("#seconds").title = solving.message;
};

/** Follow what the program works on until it ends, then show what came of it; the latest follower does. */
const follow = async () => {
  const mine = (follower += 1);
  let answer;
  do {
    await new Promise((go) => { setTimeout(go, EVERY_MILLISECONDS); });
    answer = await ask("/api/solving");
    if (mine !== follower) return;
    if (answer.body.running) drawSolving(answer.body);
  } while (answer.body.running);
  const { kind, problem, message, state } = answer.body;
  const hadFocus = [one("#cancel-solve"), document.body].includes(document.activeElement);
  if (state) accept(state);
  drawSolving(null);
  say(named(problem || message), { problem: Boolean(problem) });
  const ready = store.state.proposal && kind !== "planning";
  if (hadFocus && !one("dialog[open]")) one(ready ? "#compare" : "#solve").focus();
  if (kind === "planning" && !problem) showOutcome();
};

/** Plan again, by the same draw or by the next one: a proposal to compare. */
const solve = (isNextDraw) => inTurn(async () => {
  const answer = await tell("/api/solve", { version: store.state.version, draw_again: isNextDraw });
  if (isRefused(answer)) return;
  say(isNextDraw ? "Drawing again around the locks …" : "Planning again around the locks …");
  drawSolving({ seconds: 0, message: "" });
  one("#cancel-solve").focus();
  follow();
});

export const startPlanning = () => {
  one("#solve").addEventListener("click", () => solve(false));
  one("#cancel-solve").addEventListener("click", async () => {
    await tell("/api/solve/cancel");
    say("Stopping …");
  });
  one("#compare").addEventListener("click", openProposal);
  one("#open-print").addEventListener("click", openPrint);
};

export const drawPlanning = ({ solving, proposal }) => {
  drawSolving(solving);
  setProposal(proposal);
  if (solving) follow();
};

/** How well the week is foreseen as of its last plan, with what was locked then, in one sentence. */
const foreseenWords = ({ with_locks: share }) => (share === null
  ? "The week was changed by hand since it was planned: how much of it can be foreseen is counted when it is planned again."
  : `Who knows the data and this program, but not the secret, can name about ${Math.round(10 * share)} of 10 visits before they are made: the place and the quarter of an hour.`);

export const drawDraw = (state) => {
  const { draw } = state;
  const heading = make("h3", { text: "The draw" });
  if (!draw) return [heading, make("p", { text: "This week was made by an earlier version and was not drawn. Plan it again, and it is." })];
  return [
    heading,
    make("p", {}, make("b", { text: `Draw ${draw.number}. ` }), `One week was drawn of all that keep the rules and are at most ${draw.give_most_percent.toFixed(0)} % less good; this one is ${draw.give_percent.toFixed(1)} % less good than the best that was found.`),
    draw.commitment ? make("p", {}, "Commitment: ", make("code", { text: draw.commitment })) : make("p", { class: "problem", text: "Drawn without a secret: anyone with the same data can draw it again." }),
    make("p", { text: goodness(state) }),
    make("p", { text: foreseenWords(draw), role: "status" }),
    make("div", { class: "actions" }, button("Draw again", () => solve(true), { id: "draw-again" })),
    make("p", { class: "soft", text: `Drawing again makes draw ${draw.number + 1} as a proposal to compare; its number is on the lead’s sheet, so that drawing twice shows.` }),
  ];
};

const links = (files) => make("ul", { class: "rows papers" }, files.map(({ name, href, out_of_date: old }) => make(
  "li", {}, make("a", { href: paperAddress(href), target: "_blank", rel: "noopener", text: name }), old ? " (shows an earlier week)" : null,
)));

/** The papers in the folder: what changed as one, then the rest folded away. */
const paperList = ({ folder, files }) => {
  const [changed, others] = [true, false].map((is) => files.filter(({ name }) => (name === "part/changed.pdf") === is));
  return [
    changed.length && [make("p", { text: "To hand out, by officer, with the cards to take back on the first page:" }), links(changed)],
    others.length && make("details", {}, make("summary", { text: counted(others.length, "other paper") }), links(others)),
    make("p", { class: "soft", text: files.length ? `All are in ${folder}.` : "No papers yet." }),
  ].flat().filter(Boolean);
};

const openPrint = () => {
  if (!store.state) return; // the week has not come yet
  const progress = make("p", { text: "" });
  const papers = make("div", { class: "found" });
  const old = store.state.out_of_date;
  const follow = async () => {
    const { status, body } = await ask("/api/print");
    if (!dialog.isConnected || status !== 200) return;
    progress.textContent = body.running ? body.message : "";
    if (body.running) {
      setTimeout(follow, EVERY_MILLISECONDS);
      return;
    }
    go.disabled = false;
    papers.replaceChildren(...paperList(body));
    say(body.problem || body.message, { problem: Boolean(body.problem) });
  };
  const start = async () => {
    const answer = await tell("/api/print", { version: store.state.version });
    if (isRefused(answer)) return;
    go.disabled = true;
    say("Making the papers …");
    follow();
  };
  const go = button("Make the papers", () => inTurn(start), { class: "primary" });
  const dialog = openDialog("print", "Print", () => [
    make("p", { text: "Cards that changed since the last print, by officer, as one PDF, and all other papers." }),
    make("div", { class: "actions" }, go),
    old.length && make("p", {}, make("b", { text: "Printed before the last changes: " }), old.join(", ")),
    progress, papers,
  ]);
};

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
