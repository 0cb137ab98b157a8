// The view of a surface: lines of equal height over two axes, and paths that go down it.
import { draw, make, number } from "../parts.js";
import { BOTTOM, LEFT, RIGHT, Scale, TOP, axes, narrow, sign, swatch } from "./curve.js";

const DOTS = 120; // a path with more steps has none
const APART = 90; // pixels between the signs of a path

export class ContourView {
  /** `pick` is called with x and y where the picture is clicked. */
  constructor(pick) {
    this.element = make("div", { class: "contour-view", tabindex: "0", role: "group" });
    this.picture = null;
    this.element.addEventListener("click", (event) => this.clicked(event, pick));
  }

  /** A new surface: {box: [left, right, bottom, top], contours: [{level, lines}], minima}. */
  place({ box, contours, minima }) {
    const [left, right, bottom, top] = box;
    const wide = narrow.matches ? 400 : 760;
    const tall = TOP + BOTTOM + ((wide - LEFT - RIGHT) * (top - bottom)) / (right - left);
    this.across = new Scale([left, right], {}, LEFT, wide - RIGHT);
    this.up = new Scale([bottom, top], {}, tall - BOTTOM, TOP);
    this.size = [wide, tall];
    this.picture = draw("svg", { class: "contour", viewBox: `0 0 ${wide} ${tall}`, role: "img" });
    const inside = draw("clipPath", { id: "contour-inside" });
    inside.append(draw("rect", { x: LEFT, y: TOP, width: wide - LEFT - RIGHT, height: tall - TOP - BOTTOM }));
    this.paths = draw("g", { "clip-path": "url(#contour-inside)" });
    this.heads = draw("g", {});
    const last = contours.length - 1;
    const lines = contours.flatMap(({ lines: found }, i) => found.map((line) => this.level(line, i / last)));
    const least = minima.map(([x, y]) => draw("path", { class: "least", d: star(...this.at([x, y])) }));
    this.picture.append(draw("defs", {}, inside), ...lines, axes(this.across, this.up, "x", "y", this.size), ...least, this.paths, this.heads);
    this.element.replaceChildren(this.picture);
  }

  /** A line of equal height, its color by how high that is among all. */
  level(points, height) {
    const path = draw("path", { class: "level", d: this.line(points) });
    path.style.setProperty("--height", `${Math.round(100 * height)}%`);
    return path;
  }

  at([x, y]) {
    return [this.across.beyond(x), this.up.beyond(y)];
  }

  line(points) {
    return `M${points.map((point) => this.at(point).map((value) => round(value)).join(" ")).join(" L")}`;
  }

  /** paths: [{color, points: [[x, y]]}], each as far as it has come. */
  show(paths, label) {
    this.picture.setAttribute("aria-label", label);
    this.paths.replaceChildren();
    this.heads.replaceChildren();
    for (const { color, points } of paths) {
      this.paths.append(draw("path", { class: `line s${color}`, d: this.line(points) }));
      if (points.length <= DOTS) this.paths.append(...points.map((point) => draw("circle", { class: `dot s${color}`, cx: round(this.at(point)[0]), cy: round(this.at(point)[1]), r: 2.2 })));
      this.paths.append(...this.signs(points).map(([x, y]) => sign(color, round(x), round(y), 1.2)));
      const [x, y] = points.at(-1);
      this.heads.append(sign(color, this.across.at(x), this.up.at(y), 2, "head")); // at the edge where it has left
    }
  }

  /** Where a path bears the sign of its color. */
  signs(points) {
    const found = [];
    for (const [x, y] of points.map((point) => this.at(point))) {
      const [left, top] = found.at(-1) ?? [Infinity, Infinity];
      if (!(Math.hypot(x - left, y - top) < APART)) found.push([x, y]);
    }
    return found;
  }

  clicked(event, pick) {
    const box = this.picture.getBoundingClientRect();
    const [wide, tall] = this.size;
    const x = this.across.value(((event.clientX - box.left) / box.width) * wide);
    const y = this.up.value(((event.clientY - box.top) / box.height) * tall);
    if (x >= this.across.low && x <= this.across.high && y >= this.up.low && y <= this.up.high) pick(Number(number(x, 3).replace("−", "-")), Number(number(y, 3).replace("−", "-")));
  }
}

export const sample = (color) => swatch(color);

const round = (value) => Math.round(Math.max(-1e5, Math.min(1e5, value)) * 10) / 10;
const star = (x, y) => `M${x - 6} ${y} H${x + 6} M${x} ${y - 6} V${y + 6} M${x - 4.2} ${y - 4.2} L${x + 4.2} ${y + 4.2} M${x - 4.2} ${y + 4.2} L${x + 4.2} ${y - 4.2}`;
