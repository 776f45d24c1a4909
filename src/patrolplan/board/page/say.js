// What happened, in words: seen in the line under the tools and read out by screen readers.

import { all, one } from "./dom.js";

/** Show a result; problems are read out at once. An open dialog shows it as well. */
export const say = (text, { problem = false } = {}) => {
  const shown = problem ? `Not done: ${text}` : text;
  one("#status").textContent = problem ? "" : shown;
  one("#status").hidden = problem;
  one("#warned").textContent = problem ? shown : "";
  one("#warned").hidden = !problem;
  const dialog = all("dialog[open]").pop();
  if (!dialog) return;
  const line = one(".dialog-status", dialog);
  line.textContent = shown;
  line.classList.toggle("problem", problem);
};
