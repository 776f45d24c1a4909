"use strict";

(() => {
  const data = JSON.parse(document.getElementById("count-data").textContent);
  const news = document.getElementById("news");
  const day = document.getElementById("date");
  const pad = (number) => String(number).padStart(2, "0");
  const now = () => new Date();
  const clock = () => `${pad(now().getHours())}:${pad(now().getMinutes())}`;
  let isSaved = true;

  const rows = Array.from(document.querySelectorAll(".row"), (row) => {
    const input = row.querySelector(".pupils");
    const times = row.querySelector("[data-from]")?.dataset;
    const read = () => (times ? [times.from, times.to] : [".from", ".to"].map((one) => row.querySelector(one).value));
    const add = (by) => {
      input.value = Math.min(Math.max(Number(input.value) + by, 0), 9999);
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    row.querySelector(".add").addEventListener("click", () => add(1));
    row.querySelector(".step").addEventListener("click", () => add(-1));
    return { row, input, read, corner: data.corners[Number(row.dataset.corner)] };
  });
  const markNow = () => rows.forEach(({ row, read }) => {
    const [from, to] = read();
    if (from <= clock() && clock() < to) row.setAttribute("aria-current", "time");
    else row.removeAttribute("aria-current");
  });
  // A row that was not counted stays empty and is left out: it is unknown, not 0.
  const findProblem = ({ input, read }) => {
    const [from, to] = read();
    if (!input.validity.valid) return [input, "Write a whole number from 0 to 9999."];
    return from && to && from < to ? null : [input, "The second time must be later than the first."];
  };
  const save = () => {
    const counted = rows.filter(({ input }) => input.value !== "" || input.validity.badInput);
    const problem = day.value ? counted.map(findProblem).find(Boolean) : [day, "Choose the day."];
    if (problem || !counted.length) {
      [news.textContent] = [problem ? problem[1] : "Nothing is counted yet."];
      problem?.[0].focus();
      return;
    }
    const lines = counted.map(({ input, read, corner }) => [data.urn, ...corner.at, day.value, ...read(), Number(input.value)].join(","));
    const text = ["urn,longitude,latitude,date,from,to,pupils", ...lines, ""].join("\n");
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    const name = `count-${data.urn}-${day.value}.csv`;
    Object.assign(document.createElement("a"), { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    isSaved = true;
    news.textContent = `Saved as ${name} in the downloads of this device.`;
  };

  day.value = `${now().getFullYear()}-${pad(now().getMonth() + 1)}-${pad(now().getDate())}`;
  document.getElementById("save").addEventListener("click", save);
  document.addEventListener("input", () => {
    isSaved = false;
    news.textContent = "";
  });
  addEventListener("beforeunload", (event) => {
    if (!isSaved) event.preventDefault();
  });
  setInterval(markNow, 5000);
  markNow();
})();
