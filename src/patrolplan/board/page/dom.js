// Small helpers for elements. Text goes in as text, never as markup.

/** The first element that matches. */
export const one = (selector, root = document) => root.querySelector(selector);

/** Every element that matches, as an array. */
export const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

/**
 * Make an element: attributes by name, `on` handlers by event, `data` by name, then children.
 *
 * @param {string} tag
 * @param {Record<string, any>} [options]
 * @param {...any} children
 * @returns {any}
 */
export const make = (tag, { on = {}, data = {}, text, ...attributes } = {}, ...children) => {
  const element = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => {
    if (value === false || value === null || value === undefined) return;
    element.setAttribute(name, value === true ? "" : value);
  });
  Object.entries(data).forEach(([name, value]) => { element.dataset[name] = value; });
  Object.entries(on).forEach(([name, handler]) => element.addEventListener(name, handler));
  if (text !== undefined) element.textContent = text;
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
};

/** A button that does one thing. */
export const button = (text, click, attributes = {}) => make(
  "button", { type: "button", text, on: { click }, ...attributes },
);

/** Text for screen readers only. */
export const unseen = (text) => make("span", { class: "unseen", text });

/** A choice of [value, text] pairs. */
export const choice = (options, attributes = {}) => make(
  "select", attributes, options.map(([value, text]) => make("option", { value, text })),
);

let labels = 0;

/** A field with its label before it. */
export const labelled = (text, field) => {
  labels += 1;
  field.id ||= `field-${labels}`;
  return make("div", { class: "field" }, make("label", { for: field.id, text }), field);
};

const PATHS = {
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v8H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
  menu: "M6.5 2h3v3h-3zm0 4.5h3v3h-3zm0 4.5h3v3h-3z",
  grip: "M4 2h3v3H4zm5 0h3v3H9zM4 6.5h3v3H4zm5 0h3v3H9zM4 11h3v3H4zm5 0h3v3H9z",
  done: "M2 8.500 4 6.500l3 3 5.500-6 2 1.800L7 13.500z",
};

/** A small picture next to words; it is never used alone. */
export const icon = (name) => {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
};

/** Reuses the elements whose facts have not changed, so that little is drawn again. */
export const keeper = () => {
  let before = new Map();
  let after = new Map();
  return {
    /** The element of a name: the old one for equal facts, else a new one. */
    keep: (name, facts, makeIt) => {
      const text = JSON.stringify(facts);
      const old = before.get(name);
      const element = old?.text === text ? old.element : makeIt();
      after.set(name, { text, element });
      return element;
    },
    /** End of a drawing: elements that it did not use are forgotten. */
    turn: () => { [before, after] = [after, new Map()]; },
  };
};

/** Make these the children of an element; those already in their place stay untouched. */
export const fill = (parent, children) => {
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
};

/** What Tab reaches within an element. */
const stopsIn = (element) => all("a[href], button, input, select, summary, [tabindex='0']", element)
  .filter((stop) => !stop.disabled && stop.checkVisibility());

/** Within a dialog Tab goes round: after the last comes the first. */
const goRound = (event) => {
  if (event.key !== "Tab") return;
  const dialog = event.currentTarget;
  if (!dialog.open) {
    event.preventDefault(); // closed a moment ago: the focus is still on its way back
    return;
  }
  const stops = stopsIn(dialog);
  const at = stops.indexOf(document.activeElement);
  const leaves = event.shiftKey ? at <= 0 : at === stops.length - 1;
  if (!leaves) return;
  event.preventDefault();
  stops.at(event.shiftKey ? -1 : 0).focus();
};

/** The element with this focus name; null when it is gone. */
const find = (key) => one(`[data-focus="${CSS.escape(key)}"]`);

/** The focus name of the cell of a patrol that is gone: the patrol's without the officer. */
const cellKey = (key) => ["c", ...key.split("|").slice(1, 3)].join("|");

/** Open a dialog with a title and a way to close it; focus goes back when it closes. */
export const openDialog = (name, title, ...children) => {
  const back = document.activeElement;
  const key = back?.dataset.focus ?? back?.closest("dialog")?.dataset.back;
  const heading = make("h2", { text: title, id: `${name}-title`, tabindex: "-1" });
  const dialog = make(
    "dialog",
    { id: name, "aria-labelledby": `${name}-title`, data: key ? { back: key } : {} },
    make("div", { class: "dialog-head" }, heading, button("Close", () => dialog.close(), { class: "close" })),
    children,
    make("p", { class: "dialog-status", role: "status" }),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (document.activeElement && document.activeElement !== document.body) return;
    const again = key && (find(key) || find(cellKey(key)));
    (again || (back && back.isConnected ? back : one("#week"))).focus({ preventScroll: true });
  });
  dialog.addEventListener("keydown", goRound);
  document.body.append(dialog);
  dialog.showModal();
  heading.focus({ preventScroll: true });
  return dialog;
};
