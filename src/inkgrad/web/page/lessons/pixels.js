// Lesson 7: a convolution by hand, pooling, what filters learn, shifted digits, and where two readers disagree.
import { ask, base64 } from "../api.js";
import { paintInk } from "../maps.js";
import { Drawing, Pad } from "../pad.js";
import { translated } from "../texts.js";
import { Convolution } from "./convolution_view.js";
import { make, newest } from "./parts.js";
import { Readers } from "./readers_view.js";
import { decode, inRows } from "./views/array.js";

const PAUSE = 200; // milliseconds without a new point before a drawing is taken

export class PixelsLesson {
  static lesson = "pixels";
  static concepts = 4;
  static tasks = 4;
  static formula = "y[r, s] = Σ w[i, j] · x[r+i, s+j]\nz = relu(y)\np[r, s] = max z[2r … 2r+1, 2s … 2s+1]";

  constructor(bench, tell) {
    this.tell = tell;
    this.convolution = new Convolution(tell);
    this.readers = new Readers(tell);
    this.build(bench);
    this.take = newest(() => this.drawn());
    this.begin();
    window.addEventListener("themechange", () => this.convolution.show());
    translated(() => {
      this.convolution.show();
      this.readers.show();
    });
  }

  build(bench) {
    this.samples = make("div", { class: "chips digits-row", role: "group", label: "pixels_choose" });
    this.drawing = new Drawing();
    const place = make("div", { class: "pad" });
    const clear = make("button", { type: "button", t: "clear", onclick: () => this.drawing.clear() });
    bench.append(
      make("div", { class: "card ask chooser" }, make("div", { class: "ask" }, make("h2", { t: "pixels_choose" }), this.samples, make("p", { class: "hint", t: "pixels_draw_hint" })), make("div", { class: "drawn" }, place, clear)),
      ...this.convolution.elements,
      ...this.readers.elements,
    );
    this.pad = new Pad(place, this.drawing);
    this.drawing.addEventListener("change", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(this.take, PAUSE);
    });
  }

  async begin() {
    try {
      const { samples } = await ask("lessons/digits");
      this.samples.append(...samples.map((sample) => this.thumbnail(sample)));
      this.samples.children[3].click();
    } catch (error) {
      this.tell(error);
    }
  }

  thumbnail({ sample, label, image }) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const rows = inRows(decode(image).values);
    const paint = () => paintInk(canvas, rows);
    paint();
    window.addEventListener("themechange", paint);
    const button = make("button", { type: "button", "data-sample": String(sample), "aria-label": String(label), onclick: () => this.use(rows, button) }, canvas);
    return button;
  }

  /** The drawing in the form in which networks see it. */
  async drawn() {
    if (this.drawing.blank) return;
    try {
      const image = await base64(await this.drawing.picture());
      const { seen } = await ask("classify?seen=true", { image });
      this.tell(null);
      if (seen) this.use(seen, null);
    } catch (error) {
      this.tell(error);
    }
  }

  use(pixels, button) {
    for (const other of this.samples.children) other.setAttribute("aria-pressed", String(other === button));
    this.convolution.use(pixels);
    this.readers.use(pixels);
  }
}
