// A kernel that slides over a digit: the window, the products, their sum; and what pooling keeps.
import { ask, tellOf } from "../api.js";
import { t } from "../texts.js";
import { choices, make, newest, number } from "./parts.js";
import { Arrangement, ArrayView, decode } from "./views/array.js";

const KERNELS = {
  upright: [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
  level: [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
  slanted: [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
  outline: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  blur: Array.from({ length: 5 }, () => Array(5).fill(0.04)),
  nothing: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
};
const PLAY = 90; // milliseconds at a place

export class Convolution {
  constructor(tell) {
    this.tell = tell;
    this.kernel = KERNELS.upright.map((row) => [...row]);
    this.place = [10, 12];
    this.load = newest(() => this.ask());
    this.build();
    this.showKernel();
  }

  build() {
    const spotted = (row, column) => this.move(row, column);
    this.image = new ArrayView("pixels_image", { spotted, side: 400 });
    this.map = new ArrayView("pixels_map", { spotted, side: 400 });
    this.rectified = new ArrayView("pixels_rectified", { spotted, side: 400 });
    this.pooled = new ArrayView("pixels_pooled", { spotted: (row, column) => this.move(2 * row, 2 * column), side: 400 });
    this.presets = choices(Object.keys(KERNELS).map((name) => [name, { t: `pixels_kernel_${name}` }]), "upright", (name) => this.choose(name), { label: "pixels_kernels" });
    this.sizes = choices(["3", "5"].map((size) => [size, { text: `${size}×${size}` }]), "3", (size) => this.resize(Number(size)), { label: "pixels_size" });
    this.inputs = make("div", { class: "matrix", id: "pixels-kernel", role: "group", label: "pixels_kernel" });
    this.window = make("div", { class: "matrix", id: "pixels-window" });
    this.products = make("div", { class: "matrix", id: "pixels-products" });
    this.total = make("p", { class: "headline", id: "pixels-total" });
    this.block = make("div", { class: "matrix", id: "pixels-block" });
    this.largest = make("p", { class: "headline", id: "pixels-largest" });
    this.trouble = make("p", { class: "trouble", role: "alert", hidden: true });
    this.play = make("button", { type: "button", id: "pixels-play", onclick: () => this.toggle() });
    const step = make("button", { type: "button", id: "pixels-step", class: "main", t: "pixels_step", onclick: () => this.step() });
    const part = (name, element) => make("div", { class: "part" }, make("span", { class: "label", t: name }), element);
    const sign = (text) => make("span", { class: "operator", "aria-hidden": "true" }, text);
    this.elements = [
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "pixels_convolution" }),
        make("div", { class: "row" }, this.presets, this.sizes),
        make("div", { class: "equation" }, part("pixels_window", this.window), sign("×"), part("pixels_kernel", this.inputs), sign("="), part("pixels_products", this.products)),
        this.total,
        this.trouble,
        make("div", { class: "row control-row" }, step, this.play, make("span", { class: "hint", t: "pixels_move_hint" })),
        make("div", { class: "pair-views" }, this.image.element, this.map.element),
      ),
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "pixels_pooling" }),
        make("p", { class: "hint", t: "pixels_pooling_hint" }),
        make("div", { class: "equation" }, part("pixels_block", this.block), sign("→"), this.largest),
        make("div", { class: "pair-views" }, this.rectified.element, this.pooled.element),
      ),
    ];
  }

  use(pixels) {
    this.pixels = pixels;
    this.load();
  }

  get last() {
    return 28 - this.kernel.length;
  }

  choose(name) {
    this.kernel = KERNELS[name].map((row) => [...row]);
    this.showKernel();
    this.load();
  }

  /** A larger kernel has zeros around, a smaller one is the middle. */
  resize(size) {
    const by = (size - this.kernel.length) / 2;
    this.kernel = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => this.kernel[i - by]?.[j - by] ?? 0));
    this.presets.press(null);
    this.showKernel();
    this.load();
  }

  showKernel() {
    const size = this.kernel.length;
    this.sizes.press(String(size));
    this.inputs.style.setProperty("--size", size);
    const field = (i, j) => make("input", { type: "number", step: "any", inputmode: "decimal", value: String(this.kernel[i][j]), "aria-label": `w[${i}, ${j}]`, onchange: (event) => this.edit(i, j, event.target) });
    this.inputs.replaceChildren(...this.kernel.flatMap((row, i) => row.map((_, j) => field(i, j))));
    this.place = this.place.map((at) => Math.min(at, this.last));
  }

  edit(i, j, field) {
    this.kernel[i][j] = Number(field.value);
    field.value = String(this.kernel[i][j]);
    this.presets.press(null);
    this.load();
  }

  move(row, column) {
    this.place = [row, column].map((at) => Math.max(0, Math.min(at, this.last)));
    return this.load();
  }

  /** To the next place, row by row. */
  step() {
    const [row, column] = this.place;
    if (column < this.last) return this.move(row, column + 1);
    return this.move(row < this.last ? row + 1 : 0, 0);
  }

  toggle() {
    if (this.playing) {
      clearInterval(this.playing);
      this.playing = null;
    } else this.playing = setInterval(() => this.step(), PLAY);
    this.showPlay();
  }

  showPlay() {
    this.play.textContent = t(this.playing ? "pixels_pause" : "pixels_play");
  }

  async ask() {
    if (!this.pixels) return;
    const [row, column] = this.place;
    try {
      this.found = await ask("lessons/convolution", { pixels: this.pixels, kernel: this.kernel, row, column });
      this.explain(null);
      this.show();
    } catch (error) {
      this.explain(error);
    }
  }

  explain(error) {
    const mine = error?.status === 422;
    this.tell(mine ? null : error);
    this.trouble.hidden = !mine;
    this.trouble.replaceChildren(...(mine ? tellOf(error) : []));
    if (error && this.playing) this.toggle();
  }

  show() {
    this.showPlay();
    if (!this.found) return;
    const { row, column, total, largest } = this.found;
    const size = this.kernel.length;
    for (const [view, name, label] of [[this.image, "image", "x"], [this.map, "maps", "y"], [this.rectified, "rectified", "z"], [this.pooled, "pooled", "p"]]) {
      const array = decode(this.found[name]);
      view.show(label, array, new Arrangement([1, 1], array.shape), view.caption.textContent);
    }
    const [above, beside] = [Math.floor(row / 2), Math.floor(column / 2)];
    this.image.mark([row, column], [row, column, size, size]);
    this.map.mark([row, column], [row, column, 1, 1]);
    this.rectified.mark([row, column], [2 * above, 2 * beside, 2, 2]);
    this.pooled.mark([above, beside], [above, beside, 1, 1]);
    matrix(this.window, this.found.window);
    matrix(this.products, this.found.products);
    matrix(this.block, this.found.block);
    this.total.textContent = t("pixels_total", { row, column, total: number(total, 4) });
    this.total.dataset.value = String(total);
    this.largest.textContent = t("pixels_largest", { row: above, column: beside, largest: number(largest, 4) });
    this.largest.dataset.value = String(largest);
  }
}

/** The numbers of a small array, in rows. */
function matrix(place, array) {
  const { shape, values } = decode(array);
  place.style.setProperty("--size", shape[1]);
  place.replaceChildren(...[...values].map((value) => make("span", { "data-value": String(value), class: value < 0 ? "below" : value > 0 ? "above" : "" }, number(value, 2))));
}
