"use strict";

// What is drawn on the screen already, so that names touch none of it. A box is the square of
// half its side `r` around a point; boxes are found by the cells of the screen that they lie in.
const makeRoom = () => {
  const CELL = 32;
  const cells = new Map();
  const cellsOf = ({ x, y, r }) => {
    const keys = [];
    for (let column = Math.floor((x - r) / CELL); column <= Math.floor((x + r) / CELL); column += 1) {
      for (let row = Math.floor((y - r) / CELL); row <= Math.floor((y + r) / CELL); row += 1) {
        keys.push(`${column},${row}`);
      }
    }
    return keys;
  };
  const meet = (a, b) => Math.abs(a.x - b.x) < a.r + b.r && Math.abs(a.y - b.y) < a.r + b.r;
  return {
    take: (boxes) => boxes.forEach((box) => cellsOf(box).forEach((key) => {
      if (!cells.has(key)) cells.set(key, []);
      cells.get(key).push(box);
    })),
    isFree: (boxes) => boxes.every(
      (a) => cellsOf(a).every((key) => !(cells.get(key) ?? []).some((b) => meet(a, b))),
    ),
  };
};

const boxesAlong = (at, angle, width, r) => {
  const boxes = [];
  for (let step = -width / 2; step <= width / 2; step += r * 1.5) {
    boxes.push({ x: at.x + step * Math.cos(angle), y: at.y + step * Math.sin(angle), r });
  }
  return boxes;
};
const boxesOnLine = (points, r = 4) => points.slice(1).flatMap((b, i) => {
  const a = points[i];
  const parts = Math.ceil(a.distanceTo(b) / (2 * r));
  return Array.from({ length: parts }, (_, part) => ({
    x: a.x + ((b.x - a.x) * part) / parts, y: a.y + ((b.y - a.y) * part) / parts, r,
  }));
});
