// What the checker cannot read from the scripts themselves. A page knows the elements that it looks
// up: they are taken for elements that have a value, data and focus. Leaflet is not checked.


declare global {
  interface Window {
    L: any;
    /** The map of the phone page. */
    map_patrol: any;
  }
  interface Element {
    dataset: DOMStringMap;
    content: any;
    value: any;
    validity: ValidityState;
    focus(options?: FocusOptions): void;
  }
  interface HTMLElement {
    open: boolean;
  }
  interface EventTarget {
    id: string;
  }
  const L: any;
}

export {};
