// Planning again around the locks, and what it proposes compared with the present week.

import { ask, tell } from "./calls.js";
import { button, make, one, openDialog, unseen } from "./dom.js";
import { say } from "./say.js";
import { accept, inTurn, named, send, store } from "./store.js";
import { counted, dayName } from "./words.js";

const EVERY_MILLISECONDS = 500;
const GAINS = {
  worth_percent: (value) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(1)} % worth`,
  doses: (value) => `${signed(value)} ${noun(value, "dose")}`,
  patrols: (value) => `${signed(value)} ${noun(value, "patrol")}`,
  short: (value) => `${signed(value)} ${noun(value, "school")} below the minimum`,
  cards: (value) => `${counted(value, "card")} to print or withdraw`,
};
const watching = { on: false, whenPlanned: () => {} };

/** A number with its sign. */
const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "±0");

/** A noun after a number that may be below zero. */
const noun = (value, word) => (Math.abs(value) === 1 ? word : `${word}s`);

/** What taking it would bring, in few words. */
const gainWords = (gains) => Object.entries(gains).filter(([, value]) => typeof value === "number").map(([name, value]) => {
  if (name === "worth" || Math.abs(value) < 0.05) return null;
  return GAINS[name] ? GAINS[name](value) : `${name.replaceAll("_", " ")}: ${signed(Math.round(value * 1000) / 1000)}`;
}).filter(Boolean);

/** Cells of a week by school and day: patrols in the words of the comparison. */
const byCell = (patrols) => {
  const cells = new Map();
  patrols.forEach((patrol) => {
    const key = `${patrol.urn}|${patrol.date}`;
    const text = `${patrol.officer} ${patrol.start}${patrol.variants > 1 ? ` R${patrol.variant + 1}` : ""}`;
    cells.set(key, [...(cells.get(key) ?? []), text]);
  });
  return cells;
};

/** One of the two weeks; what the other lacks is marked by sign, frame and words. */
const side = (title, mine, other, sign, words) => {
  const { days, schools } = { days: store.state.week.days, schools: store.state.schools };
  const cell = (urn, date) => {
    const here = mine.get(`${urn}|${date}`) ?? [];
    const there = other.get(`${urn}|${date}`) ?? [];
    return make("td", {}, here.map((text) => {
      const only = !there.includes(text);
      return make("span", { class: `duty${only ? " only" : ""}` }, only ? make("b", { text: `${sign} `, "aria-hidden": "true" }) : null, text, only ? unseen(`, ${words}`) : null);
    }));
  };
  return make(
    "table", { class: "side" }, make("caption", { text: title }),
    make("thead", {}, make("tr", {}, make("th", { scope: "col", text: "School" }), days.map(({ name, date }) => make("th", { scope: "col", text: name, "aria-label": dayName(date) })))),
    make("tbody", {}, schools.map(({ urn, name }) => make("tr", {}, make("th", { scope: "row", text: name, title: name }), days.map(({ date }) => cell(urn, date))))),
  );
};

/** Open the proposal next to the present week. */
export const openProposal = async () => {
  const { status, body } = await ask("/api/proposal");
  if (status !== 200) {
    say(body.problem || "there is no proposal", { problem: true });
    return;
  }
  const now = byCell(store.patrols);
  const then = byCell(body.patrols);
  const gains = gainWords(body.gains ?? {});
  const dialog = openDialog(
    "proposal", "The week as it is, and as proposed",
    make("p", { class: "gains" }, make("b", { text: "Taking it brings: " }), `${gains.join(", ") || "as much"}. ${goodness(body)}`),
    make(
      "div", { class: "actions" },
      button("Take the proposal", async () => { if (await send("/api/proposal/take", {}, "Take the proposal")) leave(dialog); }, { class: "primary" }),
      button("Drop it", async () => {
        const { status: dropped, body: answer } = await tell("/api/proposal/drop", { version: store.state.version });
        if (dropped !== 200) {
          say(answer.problem, { problem: true });
          return;
        }
        setProposal(false);
        leave(dialog);
        say("The proposal is dropped; the week stays as it is.");
      }),
      button("Decide later", () => dialog.close()),
    ),
    make("div", { class: "sides" }, side("As it is", now, then, "−", "goes"), side("As proposed", then, now, "+", "new")),
    make("h3", { text: "What would change" }),
    make("ul", { class: "rows" }, (body.changes.length ? body.changes : ["Nothing."]).map((text) => make("li", { text: named(text) }))),
  );
};

/** Close the proposal for good: there is nothing to compare any more, so the focus goes on. */
const leave = (dialog) => {
  dialog.close();
  one("#solve").focus();
};

/** How good a week is. */
export const goodness = ({ gap_percent: gap, give_percent: give = 0, bound_known: known = true, status }) => {
  if (!known) return "Plan again to know how good it is.";
  if (give >= 0.005 && status === "optimal") return `Drawn: ${give.toFixed(1)} % below the best, which is proven.`;
  if (give >= 0.005) return `Drawn: at most ${(give + gap).toFixed(1)} % below the best.`;
  return gap < 0.005 ? "No better week is possible." : `At most ${gap.toFixed(2)} % below the best.`;
};

/** Show whether there is a proposal to compare. */
const setProposal = (there) => {
  one("#compare").disabled = !there;
  one("#compare").classList.toggle("primary", there);
};

/** Show how far planning is. */
const drawSolving = (solving) => {
  const running = Boolean(solving?.running);
  one("#solving").hidden = !running;
  one("#solve").hidden = running;
  if (!running) return;
  one("#share").value = solving.share ?? 0;
  one("#seconds").textContent = `${Math.round(solving.seconds ?? 0)} s`;
  one("#seconds").title = solving.message ?? "";
};

/** How the work ended, and the state after it: both at once, so that nothing begins in between. */
const ending = async () => {
  for (;;) {
    await new Promise((go) => { setTimeout(go, EVERY_MILLISECONDS); });
    const now = await ask("/api/solving");
    if (now.status === 200 && now.body.running) {
      drawSolving(now.body);
      continue;
    }
    const [last, state] = await inTurn(async () => [await ask("/api/solving"), await ask("/api/state")]);
    if (!last.body.running) return { ...last, state };
  }
};

/** Follow what the program works on until it ends, then show what came of it; one follower at a time. */
const follow = async () => {
  if (watching.on) return;
  watching.on = true;
  const { status, body, state } = await ending();
  watching.on = false;
  const hadFocus = [one("#cancel-solve"), document.body].includes(document.activeElement);
  if (state.status === 200) accept(state.body);
  drawSolving(null);
  const ready = store.state.proposal && body.kind !== "planning";
  if (status !== 200 || body.problem) say(named(body.problem) || "the program does not report its progress", { problem: true });
  else if (ready) say("A proposal is ready: compare it with the week, then take or drop it.");
  else say(named(body.message) || "No proposal was made; the week stays as it is.");
  if (hadFocus && !one("dialog[open]")) one(ready ? "#compare" : "#solve").focus();
  if (body.kind === "planning" && !body.problem) watching.whenPlanned();
};

/** Start planning again, by the same draw or by the next one. */
const solve = async (isNextDraw = false) => {
  const { status, body } = await tell("/api/solve", { version: store.state.version, draw_again: isNextDraw });
  if (status !== 202 && status !== 200) {
    say(status === 409 ? "another window changed the week first; look at it and plan again" : body.problem, { problem: true });
    return;
  }
  say(isNextDraw ? "Drawing again around the locks …" : "Planning again around the locks …");
  drawSolving({ running: true, share: 0, seconds: 0 });
  one("#cancel-solve").focus();
  follow();
};

/** Draw another week: a proposal to compare. */
export const drawAgain = () => inTurn(() => solve(true));

/** Wire the tools of planning again; `whenPlanned` is called when a change has been planned. */
export const startProposals = (whenPlanned) => {
  watching.whenPlanned = whenPlanned;
  one("#solve").addEventListener("click", () => inTurn(() => solve()));
  one("#cancel-solve").addEventListener("click", async () => {
    await tell("/api/solve/cancel");
    say("Stopping …");
  });
  one("#compare").addEventListener("click", openProposal);
};

/** Draw what the state says about planning. */
export const drawPlanning = (state) => {
  drawSolving(state.solving);
  setProposal(state.proposal);
  if (state.solving?.running) follow();
};
