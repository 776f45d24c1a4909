"use strict";

// The bar at the bottom that goes along on a patrol: what is now and next, and the taps.
const makeCompanion = ({ data, say, store, nameDay, showPatrol, showStop, showLeg, titleOf }) => {
  /** @returns {any} */
  const one = (selector, /** @type {ParentNode} */ root = document) => root.querySelector(selector);
  const bar = one("#companion");
  const part = (name) => one(`#${name}`, bar);
  const DUE_SOON = 2;
  let patrol = null; // the one that is walked
  let state = null;
  let announced = "";
  let problem = "";

  // ---- times and words ----------------------------------------------------------------------
  const midnight = () => new Date(state.begun).setHours(0, 0, 0, 0);
  const now = () => (Date.now() - midnight()) / 60000;
  const nameOf = (stop) => `Stop ${stop}, ${patrol.stops[stop - 1].place}`;
  // A time that has shifted, with the planned one next to it.
  const shift = (planned, late) => (Math.round(late) >= 1 ? `${clock(planned + late)} (planned ${clock(planned)})` : clock(planned));
  const count = (until, before, after) => {
    const left = until - now();
    return left > -0.5 ? `${spell(Math.ceil(left - 0.01))} ${before}` : `${spell(-left)} ${after}`;
  };
  // What is now: its name and place, until when, the countdown, what is next, and the main button.
  const describe = () => {
    const { stop, inside, late } = follow(patrol, state.taps);
    const total = patrol.stops.length;
    const next = patrol.stops[stop - 1];
    const until = (time, before, after) => ({ until: time, count: count(time, before, after) });
    if (inside) {
      const [name, at] = stop < total ? [nameOf(stop + 1), patrol.stops[stop].arrive] : ["back to the school gate", patrol.back];
      return {
        now: `Stop ${stop}`, place: next.place, when: `until ${shift(next.leave, late)}`, ...until(next.leave + late, "left", "over"),
        due: `Time to leave stop ${stop}`, next: `${name}, be there at ${shift(at, late)}`, tap: "leave", label: `I'm leaving stop ${stop}`,
      };
    }
    if (stop > total) {
      // Who is late stays for a shorter time at the gate.
      const over = Math.max(0, patrol.back + late - patrol.end);
      return {
        now: total ? "Back to the school gate" : "School gate", place: "", when: `until ${shift(patrol.end, over)}`,
        ...until(patrol.end + over, "left", "over"), due: "The patrol is over", next: "save the record", tap: "end", label: "End the patrol",
      };
    }
    const here = { tap: "here", label: `I'm here, stop ${stop}` };
    if (!state.taps.length && now() < patrol.gate_until) {
      const isEarly = now() < patrol.start;
      return {
        now: "School gate", place: "",
        when: isEarly ? `from ${clock(patrol.start)} to ${clock(patrol.gate_until)}` : `until ${clock(patrol.gate_until)}`,
        ...(isEarly ? until(patrol.start, "to go", "over") : until(patrol.gate_until, "left", "over")),
        due: isEarly ? "The patrol begins" : "Time to leave",
        next: `${nameOf(1)}, leave at ${clock(patrol.gate_until)}, be there at ${clock(next.arrive)}`, ...here,
      };
    }
    const isOverdue = now() > next.arrive + late;
    return {
      now: `Go to stop ${stop}`, place: next.place, when: `be there at ${shift(next.arrive, late)}`, ...until(next.arrive + late, "to go", "late"),
      due: `You are due at stop ${stop}`, next: `stay ${spell(next.leave - next.arrive)}${isOverdue ? "" : `, until ${shift(next.leave, late)}`}`, ...here,
    };
  };

  // ---- what is shown ------------------------------------------------------------------------
  // Aloud when it matters, not with every minute: near the end of what is now, and at its end.
  const announce = ({ now: name, until, due, next }) => {
    const left = until - now();
    const step = left <= 0 ? "due" : left <= DUE_SOON ? "soon" : "";
    const key = `${name} ${step}`;
    if (!step || announced === key) return;
    announced = key;
    part("aloud").textContent = step === "due" ? `${due}. Next: ${next}.` : `${name}: ${spell(Math.ceil(left))} left. Next: ${next}.`;
  };
  const markList = () => {
    document.querySelectorAll(".tapped").forEach((line) => line.remove());
    if (!patrol) return;
    summarise(patrol, state).forEach(({ here, leave, minutes, spoken, why }, row) => {
      const words = why ? `Not made: ${why}` : here === undefined ? "" : leave === undefined
        ? `Here since ${clock(here)}` : `Here ${clock(here)} to ${clock(leave)}, ${spell(minutes)}`;
      if (!words) return;
      const line = document.createElement("p");
      line.className = "tapped";
      line.textContent = words + (spoken === null ? "" : `, ${spoken} spoken to`);
      const article = Array.from(document.querySelectorAll(".patrol")).find(({ dataset }) => dataset.patrol === patrol.id);
      one(`[data-stop="${row + 1}"]`, article).after(line);
    });
  };
  const setText = (name, text) => {
    if (part(name).textContent !== text) part(name).textContent = text;
  };
  const draw = () => {
    const going = Boolean(patrol);
    const ended = going && state.ended;
    document.body.classList.toggle("going", going);
    part("before").hidden = going;
    part("after").hidden = !ended;
    ["look", "during", "skip", "undo", "end"].forEach((name) => { part(name).hidden = !going || ended; });
    if (!going || ended) return;
    const words = describe();
    const { stop, inside } = follow(patrol, state.taps);
    ["now", "place", "when", "count", "next"].forEach((name) => setText(name, words[name]));
    setText("warning", problem);
    part("count").classList.toggle("due", words.until - now() <= 0);
    setText("tap", words.label);
    part("tap").dataset.tap = words.tap;
    part("spoken").hidden = !inside;
    setText("spoken-count", String(state.spoken[stop - 1] ?? 0));
    part("skip").disabled = stop > patrol.stops.length || inside;
    part("undo").disabled = !state.taps.length;
    part("end").hidden = words.tap === "end";
    announce(words);
  };
  const closeReasons = () => { part("why-not").hidden = true; };
  const save = () => {
    problem = store.write(state) ? "" : "This browser stores nothing: do not close the page.";
    draw();
    markList();
  };

  // ---- taps ---------------------------------------------------------------------------------
  const sayAloud = (words) => { part("aloud").textContent = words; };
  const sayWhatIsNow = () => {
    const { now: name, place, when, next } = describe();
    sayAloud(`${place ? `${name}, ${place}` : name}, ${when}. Next: ${next}.`);
  };
  // Before it is begun: where it begins, what is next, and whether it is today's.
  const preview = (chosen) => {
    if (!chosen) return setText("preview", "");
    const [first] = chosen.stops;
    const isToday = !chosen.day || chosen.day === dateOf(Date.now());
    const next = first ? ` Next: stop 1, ${first.place}, at ${clock(first.arrive)}.` : "";
    return setText("preview", `${isToday ? "" : `Not today but ${nameDay(chosen.day)}. `}${titleOf(chosen.id)}: at the gate ${clock(chosen.start)} to ${clock(first ? chosen.gate_until : chosen.end)}.${next}`);
  };
  const begin = (chosen) => {
    patrol = chosen;
    const today = dateOf(Date.now());
    state = { patrol: chosen.id, begun: Date.now(), taps: [], spoken: {}, typed: {}, officer: "", ended: false };
    save();
    showPatrol(chosen.id);
    sayWhatIsNow();
    if (chosen.day && chosen.day !== today) {
      say(`This patrol is planned for ${nameDay(chosen.day)}; the record will say today, ${today}.`, { seen: true });
    }
    part("tap").focus();
  };
  const lookAhead = () => {
    const { stop, inside } = follow(patrol, state.taps);
    (inside ? showStop : showLeg)(patrol.id, stop);
  };
  const tap = (kind, why) => {
    const { stop } = follow(patrol, state.taps);
    state.taps.push({ kind, stop, at: Math.round(now() * 100) / 100, ...(why ? { why } : {}) });
    closeReasons();
    save();
    lookAhead();
    sayWhatIsNow();
    part("tap").focus();
  };
  const undo = () => {
    const { stop } = state.taps.pop();
    delete state.typed[stop - 1];
    closeReasons();
    save();
    lookAhead();
    sayAloud(`Undone. ${part("now").textContent}, ${part("when").textContent}.`);
    if (part("undo").disabled) part("tap").focus();
  };
  const speak = (step) => {
    const row = follow(patrol, state.taps).stop - 1;
    state.spoken[row] = Math.min(999, Math.max(0, (state.spoken[row] ?? 0) + step));
    save();
    sayAloud(`${state.spoken[row]} spoken to.`);
  };

  // ---- the record ---------------------------------------------------------------------------
  const field = (text, value, max, change) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", min: 0, max, step: "any", inputMode: "decimal", value: value ?? "" });
    input.addEventListener("change", () => {
      const typed = input.value === "" ? undefined : Math.min(max, Math.max(0, Number(input.value)));
      change(typed);
      input.value = String(typed ?? "");
      save();
      offer();
    });
    label.append(text, input);
    return label;
  };
  const offer = () => {
    const officer = part("who").value.trim();
    const ready = Boolean(officer) && part("who").checkValidity() && patrol.stops.length > 0;
    const date = dateOf(state.begun); // of the day on which it was walked
    const table = writeTable(patrol, { officer, date }, summarise(patrol, state));
    const link = part("save");
    if (link.href) URL.revokeObjectURL(link.href);
    link.removeAttribute("href");
    link.setAttribute("aria-disabled", String(!ready));
    if (ready) {
      link.href = URL.createObjectURL(new Blob([table], { type: "text/csv" }));
      link.download = `patrol-${date}-${patrol.urn}-${officer.replace(/[^\p{L}\p{N}_-]+/gu, "-")}.csv`;
    }
    part("file").textContent = ready ? table : "";
    setText("needs", !patrol.stops.length ? "This patrol stays at the gate: there are no stops to record."
      : ready ? "" : "Enter your officer number to save the record.");
  };
  const openRecord = () => {
    part("rows").replaceChildren(...summarise(patrol, state).map(({ minutes, spoken, why }, row) => {
      const group = document.createElement("fieldset");
      const legend = document.createElement("legend");
      legend.textContent = nameOf(row + 1) + (why ? ` (not made: ${why})` : "");
      group.append(
        legend, field("Minutes", minutes, 720, (typed) => { state.typed[row] = typed; }),
        field("Spoken to", spoken, 999, (typed) => { state.spoken[row] = typed === undefined ? undefined : Math.round(typed); }),
      );
      return group;
    }));
    const planned = Array.from(part("who").options ?? []).find(({ dataset }) => dataset.officer === patrol.officer);
    setText("after-title", `Your record of ${nameDay(dateOf(state.begun))}`);
    delete part("clear").dataset.sure;
    setText("clear", "Clear this patrol");
    part("who").value = state.officer || planned?.value || "";
    offer();
  };
  const end = () => {
    if (follow(patrol, state.taps).inside) tap("leave");
    state.ended = true;
    save();
    openRecord();
    part("after-title").focus();
  };
  const goBack = () => {
    state.ended = false;
    save();
    part("tap").focus();
  };
  // A slip of the thumb does not delete a record that was not saved.
  const clear = () => {
    if (state.saved || part("clear").dataset.sure || !patrol.stops.length) forget();
    else {
      part("clear").dataset.sure = "yes";
      setText("clear", "Not saved: tap again to clear");
      sayAloud("The record is not saved. Tap again to clear it.");
    }
  };
  const forget = () => {
    store.clear();
    patrol = state = null;
    announced = problem = "";
    draw();
    markList();
    say("This patrol is cleared from this phone.", { seen: true });
    part("begin").focus();
  };

  // ---- controls -----------------------------------------------------------------------------
  const press = (name, act) => part(name).addEventListener("click", act);
  press("tap", () => (part("tap").dataset.tap === "end" ? end() : tap(part("tap").dataset.tap)));
  press("undo", undo);
  press("end", end);
  press("more", () => speak(1));
  press("fewer", () => speak(-1));
  press("skip", () => {
    part("why-not").hidden = !part("why-not").hidden;
    if (!part("why-not").hidden) one("button", part("why-not")).focus();
  });
  bar.querySelectorAll("[data-why]").forEach((button) => {
    button.addEventListener("click", () => tap("skip", button.dataset.why));
  });
  press("look", lookAhead);
  press("back", goBack);
  press("clear", clear);
  press("save", () => {
    state.saved = Boolean(part("save").href);
    save();
  });
  part("who").addEventListener("input", () => {
    state.officer = part("who").value.trim();
    save();
    offer();
  });
  setInterval(() => {
    if (patrol && store.isOld(state)) forget();
    else draw();
  }, 2000);
  document.addEventListener("visibilitychange", () => document.hidden || draw());

  const stored = store.read();
  const walking = stored && data.patrols.find(({ id }) => id === stored.patrol);
  if (walking) {
    [patrol, state] = [walking, stored];
    draw();
    showPatrol(walking.id);
    if (state.taps.length) lookAhead();
    sayAloud(`The patrol of ${titleOf(walking.id)} goes on.`);
    if (state.ended) openRecord();
    markList();
  }
  draw();
  bar.hidden = !data.patrols.length;
  return { begin, preview };
};
