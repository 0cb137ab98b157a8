// The view of curves: lines over two axes, each linear or logarithmic, with marks, a legend, and the numbers as a table.
import { draw, make, number } from "../parts.js";
import { t } from "../../texts.js";

export const [LEFT, RIGHT, TOP, BOTTOM] = [66, 16, 14, 46];
export const narrow = matchMedia("(max-width: 720px)");
const MARKS = ["circle", "square", "diamond", "triangle", "cross", "plus"];

/** A scale from values to pixels, with the values that its axis names. */
export class Scale {
  constructor(values, { log, least, most }, from, to) {
    const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
    const bend = log ? Math.log10 : (value) => value;
    let [low, high] = known.length ? [bend(Math.min(...known)), bend(Math.max(...known))] : [0, 1];
    [low, high] = [Math.min(low, least ?? low), Math.max(high, most ?? high)];
    if (log) [low, high] = [Math.floor(low), Math.ceil(high)];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    Object.assign(this, { log, bend, low, high, from, to });
  }

  /** Where a value is; what lies beyond the ends is at an end. */
  at(value) {
    return this.beyond(Math.max(this.low, Math.min(this.high, this.bend(value))));
  }

  /** The same of a bent value, wherever it is. */
  beyond(place) {
    return this.from + ((place - this.low) / (this.high - this.low)) * (this.to - this.from);
  }

  /** The value at a place of a linear scale. */
  value(place) {
    return this.low + ((place - this.from) / (this.to - this.from)) * (this.high - this.low);
  }

  get ticks() {
    const span = this.high - this.low;
    const step = this.log ? Math.max(1, Math.ceil(span / (narrow.matches ? 5 : 8))) : nice(span / 5);
    const found = [];
    for (let k = Math.ceil(this.low / step - 1e-9); k * step <= this.high + span * 1e-9; k += 1) found.push(k * step);
    return this.log ? found.map((power) => [10 ** power, `10${raised(power)}`]) : found.map((value) => [value, number(value, 4)]);
  }
}

const nice = (rough) => {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
};
export const raised = (power) => String(power).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);

/**
 * series: [{name, points: [[x, y or null]], dashed, faint, color, plain: without signs}], a name of null for what neither legend nor table tells.
 * x, y: {label, log, least, most, digits}: values that the axis reaches at least, digits of x in the table.
 * marks: [{x, series}] are upright lines. small: for a third of the page's width.
 */
export function curve({ series, x, y, marks = [], label, small = false }) {
  const [wide, tall] = small || narrow.matches ? [400, 300] : [760, 400];
  const all = series.flatMap(({ points }) => points);
  const across = new Scale([...all.map(([value]) => value), ...marks.map((mark) => mark.x)], x, LEFT, wide - RIGHT);
  const up = new Scale(all.map(([, value]) => value).filter((value) => value !== null), y, tall - BOTTOM, TOP);
  const picture = draw("svg", { class: "curve", viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": label });
  picture.append(axes(across, up, x.label, y.label, [wide, tall]));
  for (const mark of marks) picture.append(draw("path", { class: `mark s${mark.series}`, d: `M${across.at(mark.x)} ${TOP} V${tall - BOTTOM}` }));
  const many = Math.max(...series.map(({ points }) => points.length)) > 60;
  for (const [at, { points, dashed, faint, color, plain }] of series.entries()) {
    const i = color ?? at;
    const known = points.filter(([, value]) => value !== null && (!y.log || value > 0)).map(([a, b]) => [across.at(a), up.at(b)]);
    if (!known.length) continue;
    picture.append(draw("path", { class: `line s${i}${dashed ? " dashed" : ""}${faint ? " faint" : ""}`, d: `M${known.map((point) => point.join(" ")).join(" L")}` }));
    if (!many && !dashed && !plain) picture.append(...known.map(([a, b]) => sign(MARKS[i % MARKS.length], a, b, i)));
  }
  const named = series.map((one, i) => ({ ...one, color: one.color ?? i })).filter(({ name }) => name !== null);
  const legend = make("ul", { class: "legend" }, ...named.map(({ name, dashed, color, plain }) => make("li", {}, swatch(color, dashed || plain || many, dashed), name)));
  return make("figure", { class: "curves" }, picture, legend, table(named, x));
}

/** Draw a curve anew in its place; its table stays unfolded. */
export function redraw(place, options) {
  const open = place.querySelector("details")?.open ?? false;
  const drawn = curve(options);
  place.replaceChildren(drawn);
  drawn.querySelector("details").open = open;
}

/** The grid of two scales in a picture of that width and height, with the names of its axes. */
export function axes(across, up, below, beside, [wide, tall]) {
  const group = draw("g", { class: "axes" });
  const text = (content, attributes) => Object.assign(draw("text", attributes), { textContent: content });
  for (const [value, name] of across.ticks) {
    group.append(draw("path", { d: `M${across.at(value)} ${TOP} V${tall - BOTTOM}` }), text(name, { x: across.at(value), y: tall - BOTTOM + 18, "text-anchor": "middle" }));
  }
  for (const [value, name] of up.ticks) {
    group.append(draw("path", { d: `M${LEFT} ${up.at(value)} H${wide - RIGHT}` }), text(name, { x: LEFT - 8, y: up.at(value) + 4, "text-anchor": "end" }));
  }
  group.append(text(below, { x: (LEFT + wide - RIGHT) / 2, y: tall - 6, "text-anchor": "middle", class: "name" }));
  const middle = (TOP + tall - BOTTOM) / 2;
  group.append(text(beside, { x: 14, y: middle, "text-anchor": "middle", class: "name", transform: `rotate(-90 14 ${middle})` }));
  return group;
}

function sign(kind, x, y, i) {
  const d = {
    circle: `M${x - 3.5} ${y} a3.5 3.5 0 1 0 7 0 a3.5 3.5 0 1 0 -7 0`,
    square: `M${x - 3} ${y - 3} h6 v6 h-6 z`,
    diamond: `M${x} ${y - 4.5} l4.5 4.5 l-4.5 4.5 l-4.5 -4.5 z`,
    triangle: `M${x} ${y - 4} l4.2 7.5 h-8.4 z`,
    cross: `M${x - 3} ${y - 3} l6 6 M${x - 3} ${y + 3} l6 -6`,
    plus: `M${x - 4} ${y} h8 M${x} ${y - 4} v8`,
  }[kind];
  return draw("path", { class: `sign s${i}`, d });
}

export function swatch(i, plain, dashed = false) {
  const picture = draw("svg", { viewBox: "0 0 30 12", "aria-hidden": "true", class: "swatch" });
  picture.append(draw("path", { class: `line s${i}${dashed ? " dashed" : ""}`, d: "M1 6 H29" }));
  if (!plain) picture.append(sign(MARKS[i % MARKS.length], 15, 6, i));
  return picture;
}

function table(series, { label: below, digits = 3 }) {
  const steps = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
  const rows = () =>
    steps.map((x) => {
      const cells = series.map(({ points }) => points.find(([at]) => at === x)?.[1] ?? null);
      return make("tr", {}, make("th", { scope: "row" }, number(x, digits)), ...cells.map((value) => make("td", { class: "figure", "data-value": value ?? "" }, value === null ? "–" : number(value, 3))));
    });
  const head = make("tr", {}, make("th", { scope: "col" }, below), ...series.map(({ name }) => make("th", { scope: "col", class: "figure" }, name)));
  const body = make("tbody", {});
  const folded = make("details", {}, make("summary", { t: "as_numbers" }), make("div", { class: "scroll", tabindex: "0", "aria-label": t("as_numbers") }, make("table", {}, make("thead", {}, head), body)));
  folded.addEventListener("toggle", () => body.childElementCount || body.append(...rows()));
  return folded;
}
