// The state as the program last sent it, every change to it one at a time and in order, what is said
// of them, and how officers, schools, days and patrols are named.

import { all, one } from "./dom.js";

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

/** Whether an answer is a refusal, which is said then; after another window's change, the week is as it is now. */
export const isRefused = ({ status, body }) => {
  if (status >= 200 && status < 300) return false;
  if (body.state) accept(body.state);
  const others = body.by_others?.length ? ` (${body.by_others.map(named).join("; ")})` : "";
  const first = status === 409 && `another window changed the week first${others}; look at it, and do it again`;
  say(first || named(body.problem) || `the program answered ${status}`, { problem: true });
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

/** Do what rests on the version of the state after what was done before it. @returns {Promise<any>} */
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

/** Send a change with the version it rests on; true when it was done and saved. */
export const send = (path, rest = {}) => inTurn(async () => {
  const answer = await tell(path, { version: store.state.version, ...rest });
  if (isRefused(answer)) return false;
  accept(answer.body.state);
  say(named(answer.body.message) || "Done.");
  return true;
});
export const change = (what) => send("/api/change", { change: what });

/** Ask whether a change could be made; nothing changes. */
export const check = async (what) => {
  const { status, body } = await tell("/api/check", { version: store.state.version, change: what });
  return status === 200 ? { ...body, why: named(body.why) } : { ok: false, why: body.problem || `the program answered ${status}` };
};

export const gainName = (percent) => (
  Math.abs(percent) < 0.05 ? "worth stays the same" : `worth ${Math.abs(percent).toFixed(1)} % ${percent > 0 ? "more" : "less"}`
);

export const verdict = ({ ok, why, worth, worth_before: before }) => (ok ? `Yes: ${gainName(before ? (100 * (worth - before)) / before : 0)}` : `No: ${why}`);

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

const LONG = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
export const dayName = (date) => LONG.format(new Date(`${date}T00:00:00Z`)).replace(",", "");
export const shortDay = (date) => store.state.week.days.find((day) => day.date === date)?.name ?? date;

/** A school's name, or its URN where it is not on the board. */
export const schoolName = (urn) => store.school.get(urn)?.name ?? `URN ${urn}`;
const AFTER_SCHOOL = "after_school";
export const plain = (name) => name.replaceAll("_", " ");

/** The window of a patrol after a comma, where the week has several; else empty. */
export const windowOf = ({ window = AFTER_SCHOOL }) => (store.state.windows.length > 1 ? `, ${plain(window)}` : "");
export const appointmentName = ({ what, from, to }) => `${what} ${from}–${to}`;

/** What tells a patrol from the others. */
export const keyOf = ({ officer, urn, date, window = AFTER_SCHOOL }) => ({ officer, urn, date, window });

/** The same as one string; only windows other than after school are named. */
export const idOf = ({ date, urn, officer, window = AFTER_SCHOOL }) => [date, urn, officer, ...(window === AFTER_SCHOOL ? [] : [window])].join("|");
export const patrolName = ({ officer, urn, date }) => `${officer} at ${schoolName(urn)} on ${dayName(date)}`;
export const routeName = ({ variant, variants }) => (variants > 1 ? `route ${variant + 1} of ${variants}` : "its only route");

/** That a stop is tasked, after its name; else empty. */
export const task = ({ tasked }) => (tasked ? `; tasked: ${tasked}` : "");
/** That pupils feel unsafe at a stop or hotspot, after its name; else empty. */
export const fear = ({ feared }) => (feared ? "; pupils feel unsafe here" : "");
/** The places that a patrol keeps away from; else empty. */
export const keptAway = ({ keep_away: places }) => (places.length ? ` Keeps away from ${places.join(", ")}.` : "");
export const promised = (patrol) => patrol.stops.map(({ minutes }) => Math.round(minutes));
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export const ruleName = ({ officer, urn, date, variant = null, window = null }) => {
  const route = `${variant === null ? "" : `, route ${variant + 1}`}${window ? `, ${plain(window)}` : ""}`;
  const when = date ? ` on ${dayName(date)}` : " all week";
  if (officer && !urn) return `any patrol of ${officer}${when}`;
  if (!officer) return `any patrol at ${urn ? schoolName(urn) : "any school"}${route}${when}`;
  return `${officer} at ${schoolName(urn)}${route}${when}`;
};
