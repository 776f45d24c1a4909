// How officers, schools, days and patrols are named.

import { store } from "./store.js";

const LONG = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });

/** A day as people say it: Monday 30 November. */
export const dayName = (date) => LONG.format(new Date(`${date}T00:00:00Z`)).replace(",", "");

/** Short name of a day of the week shown: Mon 30. */
export const shortDay = (date) => store.state.week.days.find((day) => day.date === date)?.name ?? date;

/** A school's name, or its URN where it is not on the board. */
export const schoolName = (urn) => store.school.get(urn)?.name ?? `URN ${urn}`;

/** Name of the window from each school's bell; the others are named in the settings. */
export const AFTER_SCHOOL = "after_school";

/** A name of the settings as words: after_school, after school. */
export const plain = (name) => name.replaceAll("_", " ");

/** The window of a patrol after a comma, where the week has several; else empty. */
export const windowOf = ({ window = AFTER_SCHOOL }) => (store.state.windows.length > 1 ? `, ${plain(window)}` : "");

/** What an appointment is, as words. */
export const kindName = plain;

/** What an appointment is and when, in few words. */
export const appointmentName = ({ kind, from, to }) => `${kindName(kind)} ${from}–${to}`;

/** What tells a patrol from the others. */
export const keyOf = ({ officer, urn, date, window = AFTER_SCHOOL }) => ({ officer, urn, date, window });

/** The same as one string; only windows other than after school are named. */
export const idOf = ({ date, urn, officer, window = AFTER_SCHOOL }) => [date, urn, officer, ...(window === AFTER_SCHOOL ? [] : [window])].join("|");

/** A patrol in few words. */
export const patrolName = ({ officer, urn, date }) => `${officer} at ${schoolName(urn)} on ${dayName(date)}`;

/** Which of the school's routes. */
export const routeName = ({ variant, variants }) => (variants > 1 ? `route ${variant + 1} of ${variants}` : "its only route");

/** That pupils feel unsafe at a stop or hotspot, after its name; else empty. */
export const fear = ({ feared }) => (feared ? "; pupils feel unsafe here" : "");

/** Minutes promised at each stop. */
export const promised = (patrol) => patrol.stops.map(({ minutes }) => Math.round(minutes));

/** A count with its noun: 1 patrol, 2 patrols. */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** From a day to a day, in words. */
const spanName = ({ from, to }) => (from === to ? `on ${dayName(from)}` : `from ${dayName(from)} to ${dayName(to)}`);

/** What a change would do, for the one who wants it. */
export const inWords = (what) => {
  switch (what.kind) {
    case "move": {
      const { from, to } = what;
      if (from.urn === to.urn && from.date === to.date) return `Give ${patrolName(from)} to ${to.officer}`;
      return `Move ${patrolName(from)} to ${schoolName(to.urn)} on ${dayName(to.date)}`;
    }
    case "swap": return `Swap ${patrolName(what.a)} with ${patrolName(what.b)}`;
    case "add": return `Add ${patrolName(what)}`;
    case "remove": return `Remove ${patrolName(what)}`;
    case "variant": return `Choose route ${what.variant + 1} for ${patrolName(what)}`;
    case "lock": return `Lock ${patrolName(what)}`;
    case "unlock": return `Unlock ${patrolName(what)}`;
    case "ban": return `Rule out: ${ruleName(what)}`;
    case "unban": return `Allow again: ${ruleName(what)}`;
    case "task": return `${what.must_visit ? "Task" : "Bar"} place ${what.place_id}`;
    case "untask": return `Remove place ${what.place_id}`;
    case "away": return `${what.officer} away ${spanName(what)}`;
    case "back": return `${what.officer} back again ${spanName(what)}`;
    case "appoint": return `${what.officer}: ${kindName(what.what)} on ${dayName(what.date)}, ${what.from} to ${what.to}`;
    case "unappoint": return `Remove the appointment of ${what.officer} on ${dayName(what.date)} at ${what.from}`;
    case "crew": return what.crew.length ? `${what.crew.join(" and ")} along with ${patrolName(what)}` : `Nobody along with ${patrolName(what)}`;
    default: return what.kind;
  }
};

/** What a ban rules out. */
export const ruleName = ({ officer, urn, date, variant = null, window = null }) => {
  const route = `${variant === null ? "" : `, route ${variant + 1}`}${window ? `, ${plain(window)}` : ""}`;
  const when = date ? ` on ${dayName(date)}` : " all week";
  if (officer && !urn) return `any patrol of ${officer}${when}`;
  if (!officer) return `any patrol at ${urn ? schoolName(urn) : "any school"}${route}${when}`;
  return `${officer} at ${schoolName(urn)}${route}${when}`;
};
