"use strict";

// What is typed into the search box -> schools, streets and hotspots to go to.
const makeSearch = (places, say) => {
  const one = (selector, root = document) => root.querySelector(selector);
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const index = places.map((entry) => ({ ...entry, key: plain(entry.text) }));
  const search = one("#search");
  const found = one("#found");
  const find = () => {
    const words = plain(search.value).split(" ").filter((word) => word);
    const hits = !words.length ? [] : index.filter(({ key }) => words.every((word) => ` ${key}`.includes(` ${word}`))).slice(0, 8);
    found.replaceChildren(...hits.map(({ text, kind, act }) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: `${kind}: ${text}` });
      button.addEventListener("click", () => {
        act();
        found.hidden = true;
        search.focus({ preventScroll: true });
      });
      item.append(button);
      return item;
    }));
    found.hidden = !hits.length;
    if (words.length) say(hits.length ? `${hits.length} found.` : "Nothing found.", { seen: !hits.length });
    else say("");
  };
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && one("button", found)) one("button", found).click();
    if (event.key === "Escape") found.hidden = true;
  });
};
