// The view of an array as an image: around zero, blue below and orange above; each number can be read.
import { paintSigned } from "../../maps.js";
import { make, number } from "../parts.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** What the server sends as {shape, data} -> {shape, values, low, high}. */
export function decode({ shape, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const values = new Float32Array(bytes.buffer);
  const finite = [...values].filter(Number.isFinite);
  return { shape, values, low: Math.min(...finite), high: Math.max(...finite) };
}

/** How numbers become pixels: `tiles` [rows, columns] of images `tile` [tall, wide], one pixel apart. */
export class Arrangement {
  constructor([rows, columns], [tall, wide]) {
    Object.assign(this, { rows, columns, tall, wide });
    this.height = rows * (tall + 1) - 1;
    this.width = columns * (wide + 1) - 1;
  }

  /** Of the picture; that of a single row is drawn higher than it is. */
  get aspect() {
    return `${this.width} / ${Math.max(this.height, 0.25 * this.width)}`;
  }

  /** Which number stands at a pixel; null between tiles. */
  index(y, x) {
    const [row, column] = [Math.floor(y / (this.tall + 1)), Math.floor(x / (this.wide + 1))];
    const [r, c] = [y % (this.tall + 1), x % (this.wide + 1)];
    if (r === this.tall || c === this.wide) return null;
    return ((row * this.columns + column) * this.tall + r) * this.wide + c;
  }

  pixels(values) {
    const found = new Float32Array(this.height * this.width);
    for (let i = 0; i < found.length; i += 1) {
      const at = this.index(Math.floor(i / this.width), i % this.width);
      found[i] = at === null ? 0 : values[at];
    }
    return found;
  }
}

/** Paint an array into a canvas; the largest magnitude has the full color. */
export function paintArray(canvas, { values, low, high }, arrangement) {
  const maps = { tall: arrangement.height, wide: arrangement.width, values: arrangement.pixels(values), low, high };
  paintSigned(canvas, maps);
}

/** The numbers of a digit in rows, as ink is painted. */
export const inRows = (values) => Array.from({ length: 28 }, (_, y) => [...values.subarray(28 * y, 28 * y + 28)]);

/** Images side by side, with what they are; `most` and `pixel` are widths on the page: of all, and of a number. */
export function tiles(array, arrangement, label, most, pixel) {
  const canvas = make("canvas", { role: "img", "aria-label": label });
  paintArray(canvas, array, arrangement);
  canvas.style.aspectRatio = `${arrangement.width} / ${arrangement.height}`;
  canvas.style.maxWidth = `${Math.min(most, arrangement.width * pixel)}px`;
  return make("figure", { class: "tiles" }, canvas, make("figcaption", { class: "hint" }, label));
}

/** A large image whose numbers are read with the pointer or the arrow keys; `spotted` is told where that is. */
export class ArrayView {
  constructor(caption, { spotted = null, side = 640 } = {}) {
    Object.assign(this, { spotted, side });
    this.marked = make("span", { class: "marked", hidden: true });
    this.canvas = make("canvas", { tabindex: "0", role: "img" });
    this.readout = make("output", { class: "readout" });
    this.caption = make("figcaption", { t: caption });
    this.element = make("figure", { class: "array" }, this.caption, make("div", { class: "frame" }, this.canvas, this.marked), this.readout);
    this.spot = [0, 0];
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("keydown", (event) => this.move(event));
    this.canvas.addEventListener("focus", () => this.read());
  }

  show(name, array, arrangement, label) {
    const same = this.arrangement?.width === arrangement.width && this.arrangement.height === arrangement.height;
    Object.assign(this, { name, array, arrangement });
    paintArray(this.canvas, array, arrangement);
    this.canvas.style.aspectRatio = arrangement.aspect;
    this.canvas.parentElement.style.maxWidth = `${Math.min(this.side, arrangement.width * 24)}px`;
    this.canvas.setAttribute("aria-label", label);
    if (!same) this.spot = [0, 0];
    this.read();
  }

  /** Read the number at a spot, and put a frame around some. */
  mark(spot, [row, column, tall, wide]) {
    this.spot = spot;
    this.read();
    const { height, width } = this.arrangement;
    const share = (value, of) => `${(100 * value) / of}%`;
    this.marked.hidden = false;
    Object.assign(this.marked.style, { top: share(row, height), left: share(column, width), height: share(tall, height), width: share(wide, width) });
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const place = (at, of, count) => Math.max(0, Math.min(count - 1, Math.floor((at / of) * count)));
    const { height, width } = this.arrangement;
    this.spot = [place(event.clientY - box.top, box.height, height), place(event.clientX - box.left, box.width, width)];
    this.read();
    this.spotted?.(...this.spot);
  }

  move(event) {
    const way = MOVES[event.key];
    if (!way) return;
    event.preventDefault();
    const { height, width } = this.arrangement;
    let [y, x] = this.spot;
    do {
      [y, x] = [y + way[0], x + way[1]];
      if (y < 0 || x < 0 || y >= height || x >= width) return;
    } while (this.arrangement.index(y, x) === null);
    this.spot = [y, x];
    this.read();
    this.spotted?.(y, x);
  }

  read() {
    const at = this.arrangement.index(...this.spot);
    if (at === null) return;
    const { shape, values } = this.array;
    const index = [];
    let rest = at;
    for (const size of [...shape].reverse()) {
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    this.readout.textContent = `${this.name}${index.length ? `[${index.join(", ")}]` : ""} = ${number(values[at])}`;
    this.readout.dataset.value = String(values[at]);
  }
}
