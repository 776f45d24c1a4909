// The state as the program last sent it, every change to it one at a time and in order, and what is
// said of them.

import { all, button, listOf, make, one, openDialog } from "./dom.js";

const token = document.querySelector("meta[name=patrolplan-token]").content;
export const store = { state: null, school: new Map(), patrols: [], busy: 0 };
/** @type {(state: any) => void} */
let draw = () => {};
/** @type {Promise<any>} */
let queue = Promise.resolve();

/** The answer's status and body; status 0 when nobody answers. */
const call = async (method, path, body) => {
  try {
    const headers = { "X-Patrolplan-Token": token, "Content-Type": "application/json" };
    const answer = await fetch(path, { method, headers, body, cache: "no-store" });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : {} };
  } catch {
    const problem = "the board's program does not answer. Start it again with patrolplan board; what was saved is safe";
    return { status: 0, body: { problem } };
  }
};

export const ask = (path) => call("GET", path);
export const tell = (path, body = {}) => call("POST", path, JSON.stringify(body));
export const paperAddress = (href) => `${href}?token=${encodeURIComponent(token)}`;

/** Show a result in the line under the tools; problems are read out at once. An open dialog shows it as well. */
export const say = (text, { problem = false } = {}) => {
  const shown = problem ? `Not done: ${text}` : text;
  one("#status").textContent = problem ? "" : shown;
  one("#status").hidden = problem;
  one("#warned").textContent = problem ? shown : "";
  one("#warned").hidden = !problem;
  const dialog = all("dialog[open]").pop();
  if (!dialog) return;
  const line = one(".dialog-status", dialog);
  line.textContent = shown;
  line.classList.toggle("problem", problem);
};

/** The program's words with schools by name instead of by URN. */
export const named = (text = "") => text.replaceAll(/URN (\w+)/g, (whole, urn) => store.school.get(urn)?.name ?? whole);

/** Whether an answer is a refusal, which is said then; `again` is what to do after another window's change. */
export const isRefused = ({ status, body }, again = "") => {
  if (status >= 200 && status < 300) return false;
  const changed = status === 409 && again && `another window changed the week first; ${again}`;
  say(changed || named(body.problem) || `the program answered ${status}`, { problem: true });
  return true;
};

export const watch = (drawing) => { draw = drawing; };

export const accept = (state) => {
  store.state = state;
  store.school = new Map(state.schools.map((school) => [school.urn, school]));
  store.patrols = state.schools.flatMap(
    (school) => state.week.days.flatMap(({ date }) => school.cells[date]?.patrols ?? []),
  );
  draw(state);
};

/** Another window was first: tell what it did and offer to make the own change to the new week. */
const meetConflict = (others, words, again) => {
  const before = all("dialog[open]");
  openDialog("conflict", "Another window changed the week first", (close) => [
    make("p", { text: "Your change was not made. This is what happened:" }),
    listOf(others.length ? others.map(named) : ["the week was changed"]),
    make("p", {}, make("b", { text: "Your change: " }), `${words}.`),
    make("p", { text: "The board now shows the new week. Make your change to it?" }),
    make(
      "div", { class: "actions" },
      button("Make my change to the new week", () => { close(); again(); }, { class: "primary", autofocus: true }),
      button("Drop my change", close),
    ),
  ]);
  before.forEach((open) => open.close());
};

/** Send a change with the version it rests on; true when it was done and saved. */
const sendNow = async (path, rest, words) => {
  const answer = await tell(path, { version: store.state.version, ...rest });
  const { status, body } = answer;
  if (body.state) accept(body.state);
  if (status === 200) say(named(body.message) || "Done.");
  else if (status === 409 && body.state) meetConflict(body.by_others ?? [], words, () => send(path, rest, words));
  else isRefused(answer);
  return status === 200;
};

/**
 * Do what rests on the version of the state after what was done before it.
 *
 * @returns {Promise<any>}
 */
export const inTurn = (act) => {
  store.busy += 1;
  document.body.setAttribute("aria-busy", "true");
  const done = queue.then(act).finally(() => {
    store.busy -= 1;
    if (!store.busy) document.body.removeAttribute("aria-busy");
  });
  queue = done.catch(() => false);
  return done;
};

export const send = (path, rest, words) => inTurn(() => sendNow(path, rest, words));

export const change = (what, words) => send("/api/change", { change: what }, words);

/** Ask whether a change could be made; nothing changes. */
export const check = async (what) => {
  const { status, body } = await tell("/api/check", { version: store.state.version, change: what });
  return status === 200 ? { ...body, why: named(body.why) } : { ok: false, why: body.problem || `the program answered ${status}` };
};

export const gainName = (percent) => {
  if (Math.abs(percent) < 0.05) return "worth stays the same";
  return `worth ${Math.abs(percent).toFixed(1)} % ${percent > 0 ? "more" : "less"}`;
};

export const verdict = ({ ok, why, worth, worth_before: before }) => (
  ok ? `Yes: ${gainName(before ? (100 * (worth - before)) / before : 0)}` : `No: ${why}`
);

/** Look now and then whether another window changed the week, unless something is in hand. */
export const keepUp = (isIdle) => setInterval(async () => {
  const idle = () => !store.busy && !document.hidden && !one("dialog[open]") && isIdle();
  if (!store.state || !idle()) return;
  const { status, body } = await ask(`/api/state?since=${store.state.version}`);
  if (status !== 200 || !idle() || body.version === store.state.version) return;
  const last = named(body.history.at(-1)?.what);
  accept(body);
  say(`Changed in another window${last ? `: ${last}` : "."}`);
}, 5000);
