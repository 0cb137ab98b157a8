// What the filters of a network have learned, what it makes of a digit that is moved, and where a vote differs.
import { ask } from "../api.js";
import { paintInk, paintSigned } from "../maps.js";
import { percent, share, t, write } from "../texts.js";
import { make, newest } from "./parts.js";
import { Arrangement, decode, inRows, tiles } from "./views/array.js";
import { Bars } from "./views/bars.js";
import { curve } from "./views/curve.js";

const MOST = 8;
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: null };

export class Readers {
  constructor(tell) {
    this.tell = tell;
    this.place = [0, 0];
    this.load = newest(() => this.ask());
    this.build();
    this.begin();
    window.addEventListener("themechange", () => this.show());
  }

  build() {
    this.filters = make("div", { class: "layer-rows" });
    this.image = make("canvas", { class: "seen", role: "img" });
    this.where = make("p", { class: "headline", id: "pixels-where", role: "status", t: "at_work" });
    this.maps = make("div", { class: "layer-rows" });
    this.bars = { lenet5: new Bars("pixels_lenet5"), "two-layer": new Bars("pixels_two_layer") };
    this.vote = make("p", { id: "pixels-vote" });
    this.curves = make("div", {});
    this.list = make("ul", { class: "disagreements" });
    this.told = make("p", { id: "pixels-told", t: "at_work" });
    this.again = make("button", { type: "button", id: "pixels-again", hidden: true, t: "pixels_again", onclick: () => this.begin() });
    const arrow = (key, text) => make("button", { type: "button", "data-key": key, label: `pixels_${key.toLowerCase()}`, onclick: () => this.key(key) }, text);
    const arrows = make("div", { class: "arrows", role: "group", label: "pixels_arrows" }, arrow("ArrowUp", "↑"), arrow("ArrowLeft", "←"), arrow("Home", "·"), arrow("ArrowRight", "→"), arrow("ArrowDown", "↓"));
    arrows.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.key(event.key);
    });
    const half = (name, element) => make("div", {}, make("h3", { t: name }), element);
    this.elements = [
      make("div", { class: "card ask" }, make("h2", { t: "pixels_filters" }), make("p", { class: "hint", t: "pixels_filters_hint" }), this.filters),
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "pixels_shift" }),
        make("p", { class: "hint", t: "pixels_shift_hint" }),
        make("div", { class: "glimpse" }, make("div", { class: "ask" }, make("div", { class: "moving" }, this.image, arrows), this.where, this.vote), this.maps),
        make("div", { class: "pair-views" }, half("pixels_lenet5", this.bars.lenet5.element), half("pixels_two_layer", this.bars["two-layer"].element)),
        make("h3", { t: "pixels_by_shift" }),
        this.curves,
      ),
      make("div", { class: "card ask" }, make("h2", { t: "pixels_disagree" }), make("p", { class: "hint", t: "pixels_disagree_hint" }), this.told, this.again, this.list),
    ];
  }

  async begin() {
    this.again.hidden = true;
    this.say("at_work");
    try {
      this.known = await ask("lessons/readers");
      this.tell(null);
      this.show();
      this.load();
    } catch (error) {
      this.tell(error);
      this.say("pixels_failed");
      this.again.hidden = false;
    }
  }

  /** In place of what is not known yet. */
  say(text) {
    for (const place of [this.told, this.where]) {
      place.dataset.t = text;
      write(place, t(text));
    }
  }

  use(pixels) {
    this.pixels = pixels;
    this.place = [0, 0];
    this.load();
  }

  key(key) {
    const [down, right] = KEYS[key] ?? this.place.map((at) => -at);
    this.place = [this.place[0] + down, this.place[1] + right].map((at) => Math.max(-MOST, Math.min(MOST, at)));
    this.load();
  }

  async ask() {
    if (!this.pixels || !this.known) return;
    const [down, right] = this.place;
    try {
      this.found = { down, right, ...(await ask("lessons/shifted", { pixels: this.pixels, down, right })) };
      this.tell(null);
      this.showMoved();
    } catch (error) {
      this.tell(error);
    }
  }

  show() {
    this.showMoved();
    if (!this.known) return;
    const { filters, shifts, by_shift: byShift, accuracy, disagreements } = this.known;
    this.filters.replaceChildren(...filters.map((layer, i) => filterRow(layer, i)));
    const names = { lenet5: "pixels_reader_lenet5", "lenet5-middle": "pixels_reader_middle", "two-layer": "pixels_reader_two_layer", neighbors: "pixels_reader_neighbors" };
    const series = Object.entries(names).map(([name, text]) => ({ name: t(text), points: shifts.map((shift, i) => [shift, byShift[name][i]]) }));
    this.curves.replaceChildren(curve({ series, x: { label: t("pixels_right") }, y: { label: t("pixels_accuracy"), least: 0, most: 1 }, label: t("pixels_by_shift") }));
    const right = (who) => disagreements.filter((one) => one[who] === one.label).length;
    this.told.removeAttribute("data-t");
    this.told.textContent = t("pixels_told", { count: disagreements.length, network: right("network"), vote: right("vote"), a: share(accuracy.lenet5), b: share(accuracy.neighbors) });
    this.list.replaceChildren(...disagreements.map(disagreement));
  }

  showMoved() {
    if (!this.found) return;
    const { down, right, image, maps, pooled, probabilities, vote } = this.found;
    paintInk(this.image, inRows(decode(image).values));
    const answer = (name) => probabilities[name].indexOf(Math.max(...probabilities[name]));
    this.where.removeAttribute("data-t");
    this.where.textContent = t("pixels_where", { down, right, lenet5: answer("lenet5"), two: answer("two-layer") });
    this.where.dataset.place = `${down},${right}`;
    this.image.setAttribute("aria-label", this.where.textContent);
    this.vote.textContent = t("pixels_vote", { vote });
    for (const [name, bars] of Object.entries(this.bars)) bars.show(probabilities[name]);
    this.maps.replaceChildren(row("pixels_maps", maps), row("pixels_pooled_maps", pooled));
  }
}

function row(text, told) {
  const array = decode(told);
  const [, tall, wide] = array.shape;
  return tiles(array, new Arrangement([2, 3], [tall, wide]), t(text), 520, 16);
}

function filterRow({ shape, columns, weights }, i) {
  const array = decode(weights);
  const [count, tall, wide] = array.shape;
  return tiles(array, new Arrangement([count / columns, columns], [tall, wide]), t("pixels_filters_of", { number: i + 1, outputs: shape[0], inputs: shape[1] }), 760, 16);
}

function disagreement({ sample, label, network, probability, vote, image, neighbors }) {
  const canvas = (array, name, kind) => {
    const made = make("canvas", { role: "img", "aria-label": name, class: kind });
    const { values, low, high } = decode(array);
    if (kind === "large") paintInk(made, inRows(values));
    else paintSigned(made, { tall: 28, wide: 28, values, low, high });
    return made;
  };
  const says = (text, answer, places) => make("p", { class: answer === label ? "right" : "wrong" }, answer === label ? "✓ " : "✗ ", t(text, places));
  const near = neighbors.map((one) => make("figure", {}, canvas(one.image, String(one.label), "small"), make("figcaption", {}, `${one.label} · ${one.distance.toFixed(1)}`)));
  return make(
    "li",
    {},
    canvas(image, t("pixels_sample", { sample, label }), "large"),
    make("div", {}, make("p", { class: "headline" }, t("pixels_sample", { sample, label })), says("pixels_network_says", network, { network, probability: percent(probability) }), says("pixels_vote_says", vote, { vote }), make("div", { class: "near" }, ...near)),
  );
}
