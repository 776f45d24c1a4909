// Paper: the cards that changed, and all other papers of the week.

import { button, make, one, openDialog } from "./dom.js";
import { ask, inTurn, isRefused, paperAddress, say, store, tell } from "./store.js";
import { counted } from "./words.js";

const EVERY_MILLISECONDS = 500;

const links = (files) => make("ul", { class: "rows papers" }, files.map(({ name, href, out_of_date: old }) => make(
  "li", {}, make("a", { href: paperAddress(href), target: "_blank", rel: "noopener", text: name }), old ? " (shows an earlier week)" : null,
)));

const CHANGED = "part/changed.pdf";

/** The papers in the folder: what changed as one, then the rest folded away. */
const paperList = ({ folder, files }) => {
  const [changed, others] = [true, false].map((is) => files.filter(({ name }) => (name === CHANGED) === is));
  return [
    changed.length && [make("p", { text: "To hand out, by officer, with the cards to take back on the first page:" }), links(changed)],
    others.length && make("details", {}, make("summary", { text: counted(others.length, "other paper") }), links(others)),
    make("p", { class: "soft", text: files.length ? `All are in ${folder}.` : "No papers yet." }),
  ].flat().filter(Boolean);
};

const openPrint = () => {
  if (!store.state) return; // the week has not come yet
  const progress = make("p", { text: "" });
  const papers = make("div", { class: "found" });
  const old = store.state.out_of_date;
  const follow = async () => {
    const { status, body } = await ask("/api/print");
    if (!dialog.isConnected || status !== 200) return;
    progress.textContent = body.running ? body.message : "";
    if (body.running) {
      setTimeout(follow, EVERY_MILLISECONDS);
      return;
    }
    go.disabled = false;
    papers.replaceChildren(...paperList(body));
    say(body.problem || body.message, { problem: Boolean(body.problem) });
  };
  const start = async () => {
    const answer = await tell("/api/print", { version: store.state.version });
    if (isRefused(answer)) return;
    go.disabled = true;
    say("Making the papers …");
    follow();
  };
  const go = button("Make the papers", () => inTurn(start), { class: "primary" });
  const dialog = openDialog("print", "Print", () => [
    make("p", { text: "Cards that changed since the last print, by officer, as one PDF, and all other papers." }),
    make("div", { class: "actions" }, go),
    old.length && make("p", {}, make("b", { text: "Printed before the last changes: " }), old.join(", ")),
    progress, papers,
  ]);
};

export const startPrinting = () => {
  one("#open-print").addEventListener("click", openPrint);
};
