// Another window was first: what it did, and the own change offered again on the new week.

import { all, button, make, openDialog } from "./dom.js";

/** Tell what changed and offer to do the own change again. */
export const meetConflict = ({ others, words, again }) => {
  const before = all("dialog[open]");
  const rows = others.length ? others : ["the week was changed"];
  const dialog = openDialog(
    "conflict", "Another window changed the week first",
    make("p", { text: "Your change was not made. This is what happened:" }),
    make("ul", { class: "rows" }, rows.map((text) => make("li", { text }))),
    make("p", {}, make("b", { text: "Your change: " }), `${words}.`),
    make("p", { text: "The board now shows the new week. Make your change to it?" }),
    make(
      "div", { class: "actions" },
      button("Make my change to the new week", () => { dialog.close(); again(); }, { class: "primary", autofocus: true }),
      button("Drop my change", () => dialog.close()),
    ),
  );
  before.forEach((open) => open.close());
};
