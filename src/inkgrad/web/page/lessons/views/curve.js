// The view of curves: lines over two axes, each linear or logarithmic, with marks, a legend, and the numbers as a table.
import { draw, make, number } from "../parts.js";
import { t } from "../../texts.js";

export const [LEFT, RIGHT, TOP, BOTTOM] = [66, 16, 14, 46];
export const narrow = matchMedia("(max-width: 720px)");
const MARKS = ["circle", "square", "diamond", "triangle", "cross", "plus"];
const ENDS = 144; // pixels beside the picture for the names at the ends of its lines
const [SIGNED, SIGNS] = [40, 10]; // of a line of more points only so many bear its sign

/** A scale from values to pixels, with the values that its axis names. */
export class Scale {
  constructor(values, { log, least, most, whole = false }, from, to) {
    const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
    const bend = log ? Math.log10 : (value) => value;
    let [low, high] = known.length ? [bend(Math.min(...known)), bend(Math.max(...known))] : [0, 1];
    [low, high] = [Math.min(low, least ?? low), Math.max(high, most ?? high)];
    if (log) [low, high] = [Math.floor(low), Math.ceil(high)];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    Object.assign(this, { log, whole, bend, low, high, from, to });
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
    const step = this.log ? Math.max(1, Math.ceil(span / (narrow.matches ? 5 : 8))) : Math.max(nice(span / 5), this.whole ? 1 : 0);
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
 * series: [{name, points: [[x, y or null]], dashed, faint, color, plain: without signs, end: what stands where its line ends,
 * last: a sign at its end alone}], a name of null for what neither legend nor table tells.
 * x, y: {label, log, least, most, whole, digits}: values that the axis reaches at least, marks at whole numbers, digits of x in the table.
 * marks: [{x, series}] are upright lines. small: for a third of the page's width.
 */
export function curve({ series, x, y, marks = [], label, small = false }) {
  const [wide, tall] = small || narrow.matches ? [400, 300] : [760, 400];
  const all = series.flatMap(({ points }) => points);
  const named = !small && !narrow.matches && series.some(({ end }) => end);
  const right = wide - (named ? ENDS : RIGHT);
  const across = new Scale([...all.map(([value]) => value), ...marks.map((mark) => mark.x)], x, LEFT, right);
  const up = new Scale(all.map(([, value]) => value).filter((value) => value !== null), y, tall - BOTTOM, TOP);
  const picture = draw("svg", { class: "curve", viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": label });
  picture.append(axes(across, up, x.label, y.label, [right + RIGHT, tall]));
  for (const mark of marks) picture.append(draw("path", { class: `mark s${mark.series}`, d: `M${across.at(mark.x)} ${TOP} V${tall - BOTTOM}` }));
  const ends = [];
  for (const [at, { points, dashed, faint, color, plain, last, end }] of series.entries()) {
    const i = color ?? at;
    const known = points.filter(([, value]) => value !== null && (!y.log || value > 0)).map(([a, b]) => [across.at(a), up.at(b)]);
    if (!known.length) continue;
    picture.append(draw("path", { class: `line s${i}${dashed ? " dashed" : ""}${faint ? " faint" : ""}`, d: `M${known.map((point) => point.join(" ")).join(" L")}` }));
    if (!plain) picture.append(...signed(known, at, last).map(([a, b]) => sign(i, a, b)));
    if (end) ends.push([known.at(-1)[1], end, i]);
  }
  if (named) picture.append(...endNames(ends, right, tall));
  const told = series.map((one, i) => ({ ...one, color: one.color ?? i })).filter(({ name }) => name !== null);
  const legend = make("ul", { class: "legend" }, ...told.map((one) => make("li", {}, swatch(one.color, one), one.name)));
  return make("figure", { class: "curves" }, picture, legend, table(told, x));
}

/** The points of a line that bear its sign: all, or a few of many, each line at other places; or its last. */
function signed(points, at, last) {
  if (last) return points.slice(-1);
  if (points.length <= SIGNED) return points;
  const every = Math.ceil(points.length / SIGNS);
  const first = Math.floor((at * every) / 3) % every;
  return points.filter((_, k) => k % every === first || k === points.length - 1);
}

/** The names of lines beside the picture, near where the lines end, none over another. */
function endNames(ends, right, tall) {
  const sorted = ends.sort(([a], [b]) => a - b);
  const places = sorted.map(([y]) => y + 4);
  for (let k = 1; k < places.length; k += 1) places[k] = Math.max(places[k], places[k - 1] + 15);
  const beyond = Math.max(0, (places.at(-1) ?? 0) - (tall - BOTTOM));
  for (let k = places.length - 1, most = Infinity; beyond && k >= 0; k -= 1, most = places[k + 1] - 15) places[k] = Math.min(places[k], tall - BOTTOM, most);
  return sorted.map(([, end, i], k) => Object.assign(draw("text", { class: `end t${i}`, x: right + 8, y: places[k] }), { textContent: end }));
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

/** The sign of a color, so that lines can be told apart without it. */
export function sign(i, x, y, size = 1, name = "") {
  const d = {
    circle: "M-3.5 0 a3.5 3.5 0 1 0 7 0 a3.5 3.5 0 1 0 -7 0",
    square: "M-3 -3 h6 v6 h-6 z",
    diamond: "M0 -4.5 l4.5 4.5 l-4.5 4.5 l-4.5 -4.5 z",
    triangle: "M0 -4 l4.2 7.5 h-8.4 z",
    cross: "M-3 -3 l6 6 M-3 3 l6 -6",
    plus: "M-4 0 h8 M0 -4 v8",
  }[MARKS[i % MARKS.length]];
  return draw("path", { class: `sign s${i} ${name}`, d, transform: `translate(${x} ${y}) scale(${size})` });
}

export function swatch(i, { plain = false, dashed = false, faint = false } = {}) {
  const picture = draw("svg", { viewBox: "0 0 30 12", "aria-hidden": "true", class: "swatch" });
  picture.append(draw("path", { class: `line s${i}${dashed ? " dashed" : ""}${faint ? " faint" : ""}`, d: "M1 6 H29" }));
  if (!plain) picture.append(sign(i, 15, 6));
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
