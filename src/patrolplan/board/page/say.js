// What happened, in words: seen in the line under the tools and read out by screen readers.

import { all, one } from "./dom.js";

/** Tell a result; problems are read out at once. Within a dialog it stands there as well. */
export const say = (text, { problem = false } = {}) => {
  const told = problem ? `Not done: ${text}` : text;
  one("#said").textContent = problem ? "" : told;
  one("#said").hidden = problem;
  one("#warned").textContent = problem ? told : "";
  one("#warned").hidden = !problem;
  const dialog = all("dialog[open]").pop();
  if (!dialog) return;
  const line = one(".dialog-said", dialog);
  line.textContent = told;
  line.classList.toggle("problem", problem);
};
