"use strict";

// What was tapped on a patrol, and what follows from it: nothing here touches the page.
// A tap is {kind, stop, at}: "here", "leave" or "skip" (with `why`), the stop's number from 1, and
// minutes after the midnight before the patrol was begun.
const WHY_NOT = ["abstracted", "sick", "incident", "weather"];
const clock = (minutes) => {
  const whole = Math.round(minutes);
  return [Math.floor(whole / 60) % 24, whole % 60].map((part) => String(part).padStart(2, "0")).join(":");
};
const dateOf = (time) => {
  const day = new Date(time);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((value) => String(value).padStart(2, "0")).join("-");
};
const spell = (minutes) => {
  const whole = Math.round(minutes);
  const [hours, rest] = [Math.floor(whole / 60), whole % 60];
  return [hours && `${hours} h`, (rest || !hours) && `${rest} min`].filter((part) => part).join(" ");
};

// Where the patrol stands: the stop that is next or present, whether one is there, and by how many
// minutes all later times are late. Who is early waits: places have their times for a reason.
const follow = (patrol, taps) => {
  const state = { stop: 1, inside: false, late: 0 };
  taps.forEach(({ kind, stop, at }) => {
    const { arrive, leave } = patrol.stops[stop - 1];
    if (kind === "here") Object.assign(state, { inside: true, late: Math.max(0, at - arrive) });
    else {
      const late = kind === "leave" ? at - leave : state.late - (leave - arrive);
      Object.assign(state, { stop: stop + 1, inside: false, late: Math.max(0, late) });
    }
  });
  return state;
};

// What came of each stop: minutes there, people spoken to, why it was not made.
const summarise = (patrol, { taps, spoken, typed }) => patrol.stops.map((_, row) => {
  const own = taps.filter(({ stop }) => stop === row + 1);
  const at = (kind) => own.find((tap) => tap.kind === kind)?.at;
  const counted = at("leave") === undefined ? 0 : at("leave") - at("here");
  const minutes = typed[row] ?? Math.round(counted * 10) / 10;
  return {
    here: at("here"), leave: at("leave"), minutes, spoken: spoken[row] ?? null,
    why: own.find(({ kind }) => kind === "skip")?.why ?? "",
  };
});

// The table that `patrolplan record --csv` reads. Hotspots are named, not stops numbered: a week
// that was changed since may have another stop of that number. Stops at one place are one row.
const COLUMNS = ["officer", "date", "urn", "hotspot", "stop", "minutes", "engagements", "with", "arrive", "reason"];
const writeTable = (patrol, { officer, date }, rows) => {
  const cell = (value) => (/^[\w .-]*$/.test(String(value)) ? String(value) : `"${String(value).replaceAll('"', '""')}"`);
  const places = new Map();
  rows.forEach((row, number) => {
    const name = patrol.stops[number].hotspot;
    const before = places.get(name);
    places.set(name, !before ? row : {
      here: before.minutes ? before.here : row.here,
      minutes: Math.round((before.minutes + row.minutes) * 10) / 10,
      spoken: before.spoken === null && row.spoken === null ? null : before.spoken + row.spoken,
      why: before.why || row.why,
    });
  });
  const lines = [...places].map(([name, { here, minutes, spoken, why }]) => [
    officer, date, patrol.urn, name, "", minutes, spoken ?? "", "",
    here === undefined || !minutes ? "" : clock(here), why,
  ]);
  return [COLUMNS, ...lines].map((values) => `${values.map(cell).join(",")}\r\n`).join("");
};

// Taps stay on the phone, so that a patrol survives a locked screen or a reload: for this plan
// alone, and for a day; the officer chosen stays chosen. Where the browser stores nothing they last as long as the page.
const makeStore = (plan) => {
  const NAME = "patrolplan-taps";
  const OFFICER = "patrolplan-officer";
  const DAY = 24 * 60 * 60 * 1000;
  const attempt = (act) => {
    try {
      return act();
    } catch {
      return null;
    }
  };
  const isOld = ({ begun }) => !(Date.now() - begun < DAY && begun <= Date.now() + DAY);
  const clear = () => attempt(() => localStorage.removeItem(NAME));
  return {
    isOld,
    clear,
    writeOfficer: (officer) => attempt(() => localStorage.setItem(OFFICER, officer)),
    readOfficer: () => attempt(() => localStorage.getItem(OFFICER)) ?? "",
    write: (state) => attempt(() => {
      localStorage.setItem(NAME, JSON.stringify({ ...state, plan }));
      return true;
    }) === true,
    read: () => {
      const state = attempt(() => JSON.parse(localStorage.getItem(NAME)));
      if (state?.plan === plan && Array.isArray(state.taps) && !isOld(state)) return state;
      clear();
      return null;
    },
  };
};
