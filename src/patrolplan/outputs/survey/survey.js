"use strict";

// One pupil after the other: where, when, what about the place, what about people. What a pupil has
// entered is in one object, which is replaced when they finish: nothing on the page remembers it.
(() => {
  const data = JSON.parse(document.getElementById("survey-data").textContent);
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const QUESTIONS = ["time_band", "place_factor", "behaviour_factor"];
  const SETTLE_MILLISECONDS = 200; // so long a second tap of the same finger does nothing
  const DECIMALS = 6;
  const icon = (name) => {
    const [picture, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    use.setAttribute("href", `#icon-${name}`);
    picture.setAttribute("aria-hidden", "true");
    picture.setAttribute("class", "icon");
    picture.append(use);
    return picture;
  };
  const streetMap = makeStreetMap({ data, icon });
  const answers = makeClassAnswers(data);
  const makePupil = () => ({ places: [], draft: null, view: null });
  let pupil = makePupil();
  let map = null;

  // ---- steps --------------------------------------------------------------------------------
  const sections = all("[data-step]");
  let settling = 0;
  const show = (step, { focus = true } = {}) => {
    if (map) {
      pupil.view = map.getView();
      map.close();
      map = null;
    }
    sections.forEach((section) => { section.hidden = section.dataset.step !== step; });
    const section = sections.find(({ dataset }) => dataset.step === step);
    document.body.dataset.at = step;
    const between = step === "start" || step === "thanks";
    one("#restart").hidden = between;
    one("#teacher").hidden = !between;
    if (step === "map") openMap();
    if (step === "review") listPlaces();
    if (QUESTIONS.includes(step)) showQuestion(section, step);
    scrollTo(0, 0);
    if (focus) one("h1", section).focus({ preventScroll: true });
    section.classList.add("settling");
    clearTimeout(settling);
    settling = setTimeout(() => sections.forEach(({ classList }) => classList.remove("settling")), SETTLE_MILLISECONDS);
  };

  // ---- where --------------------------------------------------------------------------------
  const PROMPT = one("#prompt").textContent;
  const describeTask = () => (pupil.places.length ? "Tap the map outside the circle to drop another pin." : PROMPT);
  const placeWords = (at) => {
    const name = streetMap.nameNear(at);
    return name ? `near ${name}` : "on the map";
  };
  const isFree = (at) => pupil.places.every((place) => streetMap.metresApart(place.at, at) >= data.apart_metres);
  const describePin = (at) => {
    if (!map.isOnMap(at)) return "That is off our map. Choose a place on it.";
    if (!isFree(at)) return "Too close to your other place: it counts as the same one. Choose a place outside the circle.";
    return `Your pin is ${placeWords(at)}. Not right? Tap again to move it.`;
  };
  const setPin = (at, { by = "finger" } = {}) => {
    pupil.draft.at = at && at.map((value) => Number(value.toFixed(DECIMALS)));
    map.setPin(pupil.draft.at, { centre: by === "list" || by === "return" });
    const isGood = Boolean(at) && map.isOnMap(at) && isFree(at);
    one("#prompt").textContent = at ? describePin(pupil.draft.at) : describeTask();
    one("#here").disabled = !isGood;
    if (isGood && by === "keyboard") one("#here").focus();
    if (by !== "list") one("#places").value = "";
  };
  const openMap = () => {
    pupil.draft = pupil.draft ?? { at: null };
    const marked = pupil.places.map(({ at }) => at);
    map = streetMap.open(one("#frame"), { view: pupil.view, marked, pick: setPin });
    setPin(pupil.draft.at, { by: pupil.view ? "finger" : "return" });
  };
  const entries = data.places.flatMap((list) => list.entries);
  const fillPlaces = () => {
    let row = 0;
    one("#places").append(...data.places.map(({ heading, entries: listed }) => {
      const group = document.createElement("optgroup");
      group.label = heading;
      group.append(...listed.map(({ name }, at) => new Option(name, String(row + at))));
      row += listed.length;
      return group;
    }));
  };

  // ---- when, what about the place, what about people -----------------------------------------
  const nameDraft = () => `Place ${pupil.places.length + 1}: ${placeWords(pupil.draft.at)}`;
  const showQuestion = (section, column) => {
    one(".about", section).textContent = nameDraft();
    all("[data-value]", section).forEach((button) => {
      button.classList.toggle("chosen", button.dataset.value === pupil.draft[column]);
    });
  };
  const answer = (column, value) => {
    pupil.draft[column] = value;
    const next = QUESTIONS[QUESTIONS.indexOf(column) + 1];
    if (!next) {
      pupil.places.push(pupil.draft);
      Object.assign(pupil, { draft: null, view: null });
    }
    show(next ?? "review");
  };

  // ---- looking over one's own places, and finishing -----------------------------------------
  const wordsOf = (column, value) => one(`[data-step="${column}"] [data-value="${value}"] .words`).textContent;
  const listPlaces = () => {
    one("#own").replaceChildren(...pupil.places.map((place, row) => {
      const [item, text, remove] = ["li", "span", "button"].map((tag) => document.createElement(tag));
      const where = placeWords(place.at);
      text.textContent = `${where[0].toUpperCase()}${where.slice(1)}: ${wordsOf("time_band", place.time_band).toLowerCase()}`;
      Object.assign(remove, { type: "button", textContent: "Remove" });
      remove.setAttribute("aria-label", `Remove place ${row + 1}, ${where}`);
      remove.addEventListener("click", () => {
        pupil.places.splice(row, 1);
        if (pupil.places.length) show("review");
        else restart();
      });
      item.append(text, remove);
      return item;
    }));
    const isFull = pupil.places.length >= data.max_places;
    one("#another").hidden = isFull;
    one("#full").hidden = !isFull;
  };
  // Nothing of the pupil stays: not on the page, not in the lists, not in the pins.
  const forget = () => {
    pupil = makePupil();
    one("#own").replaceChildren();
    one("#places").value = "";
    one("#here").disabled = true;
    one("#prompt").textContent = PROMPT;
    all(".about").forEach((line) => { line.textContent = ""; });
    all(".chosen").forEach(({ classList }) => classList.remove("chosen"));
    one("#another").hidden = false;
    one("#full").hidden = true;
  };
  const toAnswer = ({ at: [latitude, longitude], time_band, place_factor, behaviour_factor }) => (
    { time_band, place_factor, behaviour_factor, longitude, latitude }
  );
  const finish = () => {
    answers.add(pupil.places.map(toAnswer));
    show("thanks");
    forget();
  };
  const goBack = {
    map: () => {
      pupil.draft = null;
      if (pupil.places.length) show("review");
      else restart();
    },
    time_band: () => show("map"),
    place_factor: () => show("time_band"),
    behaviour_factor: () => show("place_factor"),
    review: () => {
      pupil.draft = pupil.places.pop();
      show("behaviour_factor");
    },
  };
  const restart = () => {
    show("start");
    forget();
  };

  // ---- the teacher's end ---------------------------------------------------------------------
  const dialog = one("#ending");
  const count = (number, words) => `${number} ${number === 1 ? "pupil has" : "pupils have"} ${words}`;
  const describeClass = () => {
    const [pupils, saved, fresh, least] = [answers.countPupils(), answers.countSaved(), answers.countFresh(), data.least_pupils];
    if (!saved && answers.canRenew()) return [`${count(pupils, "finished")}. Has everyone had a turn?`, `Once the file is saved, it can be saved again only after ${least} more pupils, so that nobody can see what a single pupil added.`];
    if (!saved) return [`${count(pupils, "finished")}.`, `The file can be saved once ${least} have finished on this device: a file of fewer would show what each of them answered.`];
    const held = `The file ${answers.fileName} holds the answers of ${saved} pupils. It is in this device’s downloads.`;
    if (!fresh) return [held, "Send it as the leaflet says, then close this page: the answers are gone from it when it closes."];
    if (answers.canRenew()) return [held, `${count(fresh, "finished")} since. Save the file again, and delete the first one.`];
    return [held, `${count(fresh, "finished")} since. They can be added once ${least} have.`];
  };
  const showClass = () => {
    one("#class").replaceChildren(...describeClass().map((text) => Object.assign(document.createElement("p"), { textContent: text })));
    one("#save").hidden = !answers.canRenew() && !answers.countSaved();
    one("#save .words").textContent = answers.countSaved() ? "Save the file again" : "Yes, save the file";
    one("#not-yet .words").textContent = answers.countSaved() || !answers.canRenew() ? "Close" : "Not yet";
  };
  const save = () => {
    const address = URL.createObjectURL(new Blob([answers.write()], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: answers.fileName }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    showClass();
    one("#not-yet").focus();
  };

  // ---- controls ------------------------------------------------------------------------------
  const press = (selector, act) => one(selector).addEventListener("click", act);
  press("#mark", () => show("map"));
  press("#safe", finish);
  press("#here", () => show("time_band"));
  press("#another", () => show("map"));
  press("#finish", finish);
  press("#next", () => show("start"));
  press("#restart", restart);
  press("#teacher", () => {
    showClass();
    dialog.showModal();
  });
  press("#save", save);
  press("#not-yet", () => dialog.close());
  dialog.addEventListener("close", () => {
    one("#class").replaceChildren();
    all(".words", dialog).forEach((words) => { words.textContent = ""; });
    one("#save").hidden = true;
    one("#teacher").focus();
  });
  QUESTIONS.forEach((column) => all(`[data-step="${column}"] [data-value]`).forEach((button) => {
    button.addEventListener("click", () => answer(column, button.dataset.value));
  }));
  all("[data-step] .back").forEach((button) => {
    button.addEventListener("click", () => goBack[button.closest("[data-step]").dataset.step]());
  });
  one("#places").addEventListener("change", ({ target }) => {
    if (target.value) setPin(entries[Number(target.value)].at, { by: "list" });
  });
  addEventListener("beforeunload", (event) => {
    if (!answers.countFresh()) return;
    event.preventDefault();
    event.returnValue = true; // older browsers heed this alone
  });
  fillPlaces();
  show("start", { focus: false });
})();
