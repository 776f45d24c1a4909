"use strict";

// A canvas of its own above the streets, which is drawn afresh whenever the map has moved.
const makeSheet = ({ draw, ...options }) => {
  const Sheet = L.Renderer.extend({
    options: { pane: "ink", padding: 0.15, ...options },
    _initContainer() {
      this._container = document.createElement("canvas");
    },
    _destroyContainer() {
      this._container.remove();
    },
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const { min } = this._bounds;
      const size = this._bounds.getSize();
      const sharp = Math.max(1, devicePixelRatio);
      const fresh = this._container.cloneNode(false);
      Object.assign(fresh, { width: size.x * sharp, height: size.y * sharp });
      this._container.replaceWith(fresh);
      this._container = fresh;
      L.DomUtil.setPosition(this._container, min);
      Object.assign(this._container.style, { width: `${size.x}px`, height: `${size.y}px` });
      const pen = this._container.getContext("2d");
      pen.scale(sharp, sharp);
      pen.translate(-min.x, -min.y);
      draw(pen, this._bounds);
    },
    redraw() {
      if (this._map) this._update();
    },
  });
  return new Sheet();
};

// Buttons and the scale lie on the map: nothing is written below them.
const findCovered = (map, selectors) => {
  const frame = map.getContainer().getBoundingClientRect();
  const covers = [...document.querySelectorAll(`${selectors}, .leaflet-control-zoom, .leaflet-control-scale, .leaflet-control-attribution`)];
  return covers.flatMap((cover) => {
    const { left, top, width, height } = cover.getBoundingClientRect();
    const at = map.containerPointToLayerPoint([left - frame.left + width / 2, top - frame.top]);
    const rows = Math.ceil(height / 14) || 0;
    return Array.from({ length: rows }, (_, row) => boxesAlong(at.add([0, 7 + row * 14]), 0, width, 9)).flat();
  });
};
