// The state as the program last sent it, and every change to it: one at a time, in order.

import { ask, tell } from "./calls.js";
import { one } from "./dom.js";
import { say } from "./say.js";

export const store = { state: null, school: new Map(), patrols: [], known: new Map(), busy: 0 };
const watchers = [];
/** @type {(conflict: object) => void} */
let meetConflict = () => {};
/** @type {Promise<any>} */
let queue = Promise.resolve();

/** The program's words with schools by name instead of by URN. */
export const named = (text = "") => text.replaceAll(/URN (\w+)/g, (whole, urn) => store.school.get(urn)?.name ?? whole);

/** Call a function whenever the state is new. */
export const watch = (watcher) => watchers.push(watcher);

/** Set what happens when another window was first. */
export const onConflict = (handler) => { meetConflict = handler; };

/** Take a state and draw it. */
export const accept = (state) => {
  store.state = state;
  store.school = new Map(state.schools.map((school) => [school.urn, school]));
  store.patrols = state.schools.flatMap(
    (school) => state.week.days.flatMap(({ date }) => school.cells[date]?.patrols ?? []),
  );
  watchers.forEach((watcher) => watcher(state));
};

/** Send a change with the version it rests on; true when it was done and saved. */
const sendNow = async (path, rest, words) => {
  const { status, body } = await tell(path, { version: store.state.version, ...rest });
  if (body.state) accept(body.state);
  if (status === 200) {
    say(named(body.message) || "Done.");
    return true;
  }
  if (status === 409 && body.state) {
    meetConflict({ others: (body.by_others ?? []).map(named), words, again: () => send(path, rest, words) });
  } else {
    say(named(body.problem) || `the program answered ${status}`, { problem: true });
  }
  return false;
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

/** Send a change after those before it. */
export const send = (path, rest, words) => inTurn(() => sendNow(path, rest, words));

/** Make one change of the week. */
export const change = (what, words) => send("/api/change", { change: what }, words);

/** Ask whether a change could be made; nothing changes. */
export const check = async (what) => {
  const { status, body } = await tell("/api/check", { version: store.state.version, change: what });
  return status === 200 ? { ...body, why: named(body.why) } : { ok: false, why: body.problem || `the program answered ${status}` };
};

/** What a check found, in words. */
export const verdict = ({ ok, why, worth, worth_before: before }) => {
  if (!ok) return `No: ${why}`;
  const percent = before ? (100 * (worth - before)) / before : 0;
  const size = `${Math.abs(percent).toFixed(1)} %`;
  if (Math.abs(percent) < 0.05) return "Yes: worth stays the same";
  return percent > 0 ? `Yes: worth ${size} more` : `Yes: worth ${size} less`;
};

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
