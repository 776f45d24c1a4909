// Small helpers for elements. Text goes in as text, never as markup.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

// Make an element: attributes by name, `on` handlers by event, `data` by name, then children.
/** @type {(tag: string, options?: Record<string, any>, ...children: any[]) => any} */
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
  document.body.append(dialog);
  dialog.showModal();
  heading.focus({ preventScroll: true });
  return dialog;
};
