// Small helpers for elements. Text goes in as text, never as markup.

export const one = (selector, root = document) => root.querySelector(selector);
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
  Object.entries(attributes).filter(([, value]) => value !== false && value !== null && value !== undefined)
    .forEach(([name, value]) => element.setAttribute(name, value === true ? "" : value));
  Object.entries(data).forEach(([name, value]) => { element.dataset[name] = value; });
  Object.entries(on).forEach(([name, handler]) => element.addEventListener(name, handler));
  if (text !== undefined) element.textContent = text;
  element.append(...children.flat(Infinity).filter(Boolean));
  return element;
};

export const button = (text, click, attributes = {}) => make(
  "button", { type: "button", text, on: { click }, ...attributes },
);

export const unseen = (text) => make("span", { class: "unseen", text });

export const listOf = (texts) => make("ul", { class: "rows" }, texts.map((text) => make("li", { text })));

/** A choice of [value, text] pairs. */
export const choice = (options, attributes = {}) => make(
  "select", attributes, options.map(([value, text]) => make("option", { value, text })),
);

let labels = 0;

export const labelled = (text, field) => {
  labels += 1;
  field.id ||= `field-${labels}`;
  return make("div", { class: "field" }, make("label", { for: field.id, text }), field);
};

const PATHS = {
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v8H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
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

/** Within a dialog Tab goes round: after the last comes the first. */
const goRound = (event) => {
  if (event.key !== "Tab") return;
  const dialog = event.currentTarget;
  const stops = all("a[href], button, input, select, summary, [tabindex='0']", dialog)
    .filter((stop) => !stop.disabled && stop.checkVisibility());
  const at = stops.indexOf(document.activeElement);
  const leaves = event.shiftKey ? at <= 0 : at === stops.length - 1;
  if (dialog.open && !leaves) return;
  event.preventDefault();
  if (dialog.open) stops.at(event.shiftKey ? -1 : 0).focus(); // else its focus is still on its way back
};

/** The element with this focus name; null when it is gone. */
export const findFocus = (key, root = document) => one(`[data-focus="${CSS.escape(key)}"]`, root);

/** Open a dialog with a title, a way to close it and what `build` makes; focus goes back when it closes. */
export const openDialog = (name, title, build) => {
  const back = document.activeElement;
  const key = back?.dataset.focus ?? back?.closest("dialog")?.dataset.back;
  const heading = make("h2", { text: title, id: `${name}-title`, tabindex: "-1" });
  const dialog = make("dialog", { id: name, "aria-labelledby": `${name}-title`, data: key ? { back: key } : {} });
  const close = () => dialog.close();
  dialog.append(
    make("div", { class: "dialog-head" }, heading, button("Close", close, { class: "close" })),
    ...build(close).flat(Infinity).filter(Boolean),
    make("p", { class: "dialog-status", role: "status" }),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (document.activeElement && document.activeElement !== document.body) return;
    // Where the patrol is gone, its cell: the same name without the officer.
    const again = key && (findFocus(key) || findFocus(["c", ...key.split("|").slice(1, 3)].join("|")));
    (again || (back && back.isConnected ? back : one("#week"))).focus({ preventScroll: true });
  });
  dialog.addEventListener("keydown", goRound);
  document.body.append(dialog);
  dialog.showModal();
  heading.focus({ preventScroll: true });
  return dialog;
};
