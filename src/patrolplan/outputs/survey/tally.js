"use strict";

(() => {
  const data = JSON.parse(document.getElementById("tally-data").textContent);
  const part = (id) => document.getElementById(id);
  const rules = makeTallyRules(data);
  const cells = new Map(data.cells.map((cell) => [cell.label, cell]));
  const MONTHS = Array.from({ length: 12 }, (_, month) => new Intl.DateTimeFormat("en-GB", { month: "long" }).format(new Date(2024, month, 1)));
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fileName = `tally-${data.urn}-${id.slice(0, 8)}.json`;
  const rows = [];
  let [changing, isSaved] = [null, true];

  // ---- fields --------------------------------------------------------------------------------
  const readNumber = (field) => {
    const input = part(field);
    if (input.validity.badInput) return null;
    const number = input.value === "" ? 0 : Number(input.value);
    return Number.isInteger(number) && number >= 0 && number <= data.most_pupils ? number : null;
  };
  const readLabel = () => (part("letter").value && part("number").value ? `${part("letter").value}${part("number").value}` : "");
  const readRow = () => ({
    label: readLabel(),
    pupils: readNumber("square-pupils"),
    counts: Object.fromEntries(data.questions.map(({ column, choices }) => [
      column, Object.fromEntries(choices.map(({ value }) => [value, readNumber(`${column}-${value}`)])),
    ])),
  });
  const rowFields = ["square-pupils", ...data.questions.flatMap(({ column, choices }) => choices.map(({ value }) => `${column}-${value}`))];
  const isBegun = () => Boolean(part("letter").value) || rowFields.some((field) => readNumber(field) !== 0);
  const readDay = () => ({
    year: Number(part("year").value), month: Number(part("month").value), date: Number(part("day").value),
  });
  const fill = (select, options, chosen) => {
    select.replaceChildren(...options.map(([value, words]) => new Option(words, value, value === chosen, value === chosen)));
  };
  const offerNumbers = (chosen = "") => {
    const letter = part("letter").value;
    const numbers = data.cells.filter(({ label }) => letter && label[0] === letter).map(({ label }) => label.slice(1));
    const held = numbers.includes(chosen) ? chosen : "";
    fill(part("number"), [["", "Number"], ...numbers.map((number) => [number, number])], held);
  };
  const describe = (label) => {
    const { streets } = cells.get(label);
    return streets.length ? `around ${streets.join(" and ")}` : "streets without a name";
  };

  // ---- problems ------------------------------------------------------------------------------
  const problemFields = ["class-pupils", "day", "square", ...rowFields, ...data.questions.map(({ column }) => column), "rows"];
  const focusOf = { square: "letter", rows: "title-rows" };
  data.questions.forEach(({ column, choices }) => { focusOf[column] = `${column}-${choices[0].value}`; });
  const show = (problems, fields) => {
    fields.forEach((field) => {
      const words = problems.filter((problem) => problem.field === field).map((problem) => problem.words).join(" ");
      if (part(`${field}-problem`).textContent !== words) part(`${field}-problem`).textContent = words;
      if (part(field)?.matches("input, select")) part(field).setAttribute("aria-invalid", String(Boolean(words)));
    });
  };
  const isStopped = (problems, fields) => {
    show(problems, fields);
    if (!problems.length) return false;
    part(focusOf[problems[0].field] ?? problems[0].field).focus();
    part("news").textContent = problems[0].words;
    return true;
  };
  const checkRow = (row) => rules.checkRow(row, {
    classPupils: readNumber("class-pupils"),
    taken: new Set(rows.filter((other) => other !== changing).map(({ label }) => label)),
  });
  const rowProblemFields = problemFields.filter((field) => !["class-pupils", "day", "rows"].includes(field));
  // While a row is typed only what is wrong is named, not what is still missing.
  const checkWhileTyping = () => {
    const row = readRow();
    show(checkRow(row).filter(({ open }) => !open), rowProblemFields);
    data.questions.forEach(({ column }) => {
      const numbers = Object.values(row.counts[column]);
      const isComparable = row.pupils && numbers.every((number) => number !== null);
      part(`${column}-sum`).textContent = isComparable ? `${rules.sum(row.counts[column])} of ${rules.count(row.pupils, "pupil")}` : "";
    });
    part("square-name").textContent = row.label ? `${row.label}: ${describe(row.label)}. Is it the square on the map?` : "";
  };

  // ---- rows ----------------------------------------------------------------------------------
  const nameRow = (...words) => ["title-square", "add", "cancel"].forEach((name, at) => { part(name).textContent = words[at]; });
  const clearRow = () => {
    changing = null;
    part("letter").value = "";
    rowFields.forEach((field) => { part(field).value = ""; });
    offerNumbers();
    nameRow("2. A row of the sheet", "Add this row", "Clear");
    checkWhileTyping();
    show([], rowProblemFields);
  };
  const openRow = (row) => {
    changing = row;
    part("letter").value = row.label[0];
    offerNumbers(row.label.slice(1));
    part("square-pupils").value = row.pupils;
    data.questions.forEach(({ column, choices }) => choices.forEach(({ value }) => {
      part(`${column}-${value}`).value = row.counts[column][value] || "";
    }));
    nameRow(`2. Change ${row.label}`, "Save the change", "Leave it as it was");
    checkWhileTyping();
    part("title-square").focus();
  };
  const removeRow = (row) => {
    rows.splice(rows.indexOf(row), 1);
    isSaved = false;
    if (changing === row) clearRow();
    showRows();
    part("title-rows").focus();
    part("news").textContent = `${row.label} is removed.`;
  };
  const summarise = ({ counts }) => data.questions.flatMap(({ column, choices }) => choices
    .filter(({ value }) => counts[column][value])
    .map(({ value, words }) => `${words}: ${counts[column][value]}`)).join("; ");
  const makeButton = (words, label, act) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: words });
    button.setAttribute("aria-label", `${words} ${label}`);
    button.addEventListener("click", act);
    return button;
  };
  const write = (tag, words) => Object.assign(document.createElement(tag), { textContent: words });
  const showRows = () => {
    part("rows").replaceChildren(...rows.map((row) => {
      const [item, text, buttons] = ["li", "div", "div"].map((tag) => document.createElement(tag));
      buttons.className = "buttons";
      text.append(
        write("strong", `${row.label}: ${rules.count(row.pupils, "pupil")}`),
        write("span", ` ${describe(row.label)}`), write("p", summarise(row)),
      );
      buttons.append(
        makeButton("Change", row.label, () => openRow(row)), makeButton("Remove", row.label, () => removeRow(row)),
      );
      item.append(text, buttons);
      return item;
    }));
    part("none").hidden = rows.length > 0;
    const marks = rows.reduce((total, { pupils }) => total + pupils, 0);
    part("total").textContent = rows.length ? `${rules.count(rows.length, "square")}, ${rules.count(marks, "mark")} in all.` : "";
    show([], ["rows"]);
  };
  const addRow = (event) => {
    event.preventDefault();
    const row = readRow();
    if (isStopped(checkRow(row), rowProblemFields)) return;
    if (changing) rows.splice(rows.indexOf(changing), 1, row);
    else rows.push(row);
    const verb = changing ? "changed" : "added";
    isSaved = false;
    clearRow();
    showRows();
    part("letter").focus();
    part("news").textContent = `${row.label} is ${verb}: ${rules.count(row.pupils, "pupil")}.`;
  };

  // ---- the file ------------------------------------------------------------------------------
  const writeFile = (pupils) => {
    const { year, month, date } = readDay();
    const day = [year, month, date].map((number) => String(number).padStart(2, "0")).join("-");
    const squares = rows.map((row) => ({
      square: cells.get(row.label).square,
      pupils: row.pupils,
      ...Object.fromEntries(Object.entries(row.counts).map(([column, counts]) => [
        column, Object.fromEntries(Object.entries(counts).filter(([, number]) => number > 0)),
      ])),
    }));
    return JSON.stringify({ form: data.form, id, school_urn: data.urn, day, pupils, squares });
  };
  const save = () => {
    const pupils = readNumber("class-pupils");
    const problems = [...rules.checkClass(pupils), ...rules.checkDay(readDay(), new Date())];
    if (!problems.length) problems.push(...rules.checkRows(rows, pupils));
    if (isBegun()) problems.push({ field: "square", words: "This row is not in the list yet: add it, or clear it." });
    if (isStopped(problems, ["class-pupils", "day", "rows", "square"])) return;
    const address = URL.createObjectURL(new Blob([writeFile(pupils)], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: fileName }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    isSaved = true;
    part("news").textContent = `Saved as ${fileName} in the downloads of this device. If you correct something and save again, delete the first file.`;
  };

  // ---- controls ------------------------------------------------------------------------------
  const today = new Date();
  const year = today.getFullYear();
  fill(part("day"), Array.from({ length: 31 }, (_, day) => [String(day + 1), String(day + 1)]), String(today.getDate()));
  fill(part("month"), MONTHS.map((words, month) => [String(month + 1), words]), String(today.getMonth() + 1));
  fill(part("year"), [year - 1, year].map((one) => [String(one), String(one)]), String(year));
  document.querySelectorAll(".step").forEach((button) => button.addEventListener("click", () => {
    const input = part(button.dataset.for);
    const number = Math.max(0, (readNumber(input.id) ?? 0) + Number(button.dataset.by));
    input.value = Math.min(number, data.most_pupils);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }));
  part("letter").addEventListener("input", () => offerNumbers(part("number").value));
  document.querySelector("form").addEventListener("submit", addRow);
  document.addEventListener("input", ({ target }) => {
    if (target.id === "class-pupils") show([], ["class-pupils", "rows"]);
    if (["day", "month", "year"].includes(target.id)) show([], ["day"]);
    part("news").textContent = "";  // it would lie over the fields
    checkWhileTyping();
    isSaved = false;
  });
  part("cancel").addEventListener("click", () => {
    clearRow();
    part("letter").focus();
  });
  part("save").addEventListener("click", save);
  addEventListener("beforeunload", (event) => {
    if (!isSaved) event.preventDefault();
  });
  clearRow();
  showRows();
})();
