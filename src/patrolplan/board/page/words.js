// How officers, schools, days and patrols are named.

import { store } from "./store.js";

const LONG = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
export const dayName = (date) => LONG.format(new Date(`${date}T00:00:00Z`)).replace(",", "");
export const shortDay = (date) => store.state.week.days.find((day) => day.date === date)?.name ?? date;

/** A school's name, or its URN where it is not on the board. */
export const schoolName = (urn) => store.school.get(urn)?.name ?? `URN ${urn}`;
const AFTER_SCHOOL = "after_school";
export const plain = (name) => name.replaceAll("_", " ");

/** The window of a patrol after a comma, where the week has several; else empty. */
export const windowOf = ({ window = AFTER_SCHOOL }) => (store.state.windows.length > 1 ? `, ${plain(window)}` : "");
export const appointmentName = ({ kind, from, to }) => `${plain(kind)} ${from}–${to}`;

/** What tells a patrol from the others. */
export const keyOf = ({ officer, urn, date, window = AFTER_SCHOOL }) => ({ officer, urn, date, window });

/** The same as one string; only windows other than after school are named. */
export const idOf = ({ date, urn, officer, window = AFTER_SCHOOL }) => [date, urn, officer, ...(window === AFTER_SCHOOL ? [] : [window])].join("|");
export const patrolName = ({ officer, urn, date }) => `${officer} at ${schoolName(urn)} on ${dayName(date)}`;
export const routeName = ({ variant, variants }) => (variants > 1 ? `route ${variant + 1} of ${variants}` : "its only route");

/** That pupils feel unsafe at a stop or hotspot, after its name; else empty. */
export const fear = ({ feared }) => (feared ? "; pupils feel unsafe here" : "");
export const promised = (patrol) => patrol.stops.map(({ minutes }) => Math.round(minutes));
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export const ruleName = ({ officer, urn, date, variant = null, window = null }) => {
  const route = `${variant === null ? "" : `, route ${variant + 1}`}${window ? `, ${plain(window)}` : ""}`;
  const when = date ? ` on ${dayName(date)}` : " all week";
  if (officer && !urn) return `any patrol of ${officer}${when}`;
  if (!officer) return `any patrol at ${urn ? schoolName(urn) : "any school"}${route}${when}`;
  return `${officer} at ${schoolName(urn)}${route}${when}`;
};
