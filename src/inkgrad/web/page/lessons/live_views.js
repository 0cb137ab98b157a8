// What is seen of a training: its curves, and a glimpse into its network.
import { paintInk, unpack } from "../maps.js";
import { t } from "../texts.js";
import { choices, make } from "./parts.js";
import { Arrangement, inRows, tiles } from "./views/array.js";
import { Bars } from "./views/bars.js";
import { redraw } from "./views/curve.js";

const PAUSE = 300; // milliseconds between two pictures

/**
 * Loss, accuracy and gradient norms. Only new points come. Of a long training fewer and fewer are kept, here as on the
 * server; the newest comes with each event, kept or not.
 */
export class Course {
  constructor() {
    this.places = { loss: make("div", {}), accuracy: make("div", {}), norms: make("div", {}) };
    const part = (name) => make("div", {}, make("h3", { t: `live_${name}` }), make("p", { class: "hint", t: `live_${name}_hint` }), this.places[name]);
    this.element = make("div", { class: "pair-views" }, part("loss"), part("accuracy"), part("norms"));
    this.begin([]);
  }

  begin(layers) {
    this.layers = layers;
    this.points = [];
    this.measures = [];
    this.latest = null;
    this.measured = null;
    this.schedule();
  }

  add({ every, points, measured_every: measuredEvery, measures, latest, measured }) {
    const kept = (all, step) => all.filter((one) => one.step % step === 0);
    this.points = kept([...this.points, ...points], every);
    this.measures = kept([...this.measures, ...measures], measuredEvery);
    Object.assign(this, { latest, measured });
    this.schedule();
  }

  schedule() {
    this.timer ??= setTimeout(() => {
      requestAnimationFrame(() => {
        this.timer = null;
        this.show();
      }); // which comes when the page is seen
    }, PAUSE);
  }

  show() {
    const points = upTo(this.points, this.latest);
    const measures = upTo(this.measures, this.measured);
    const x = { label: t("live_step"), digits: 6, least: 0, most: 10 };
    const of = (all, value) => all.map((one) => [one.step, value(one)]);
    // where the learning rate was changed
    const marks = points.filter((point, i) => i && point.rate !== points[i - 1].rate).map(({ step }) => ({ x: step, series: 4 }));
    const drawn = (place, options) => redraw(place, { x, marks, small: true, ...options });
    drawn(this.places.loss, {
      series: [
        { name: t("live_loss_batch"), points: of(points, (one) => one.loss), faint: true, plain: true },
        { name: t("live_loss_mean"), points: of(points, (one) => one.mean) },
        { name: t("live_loss_test"), points: of(measures, (one) => one.loss) },
      ],
      y: { label: t("live_loss"), least: 0, most: 2.5 },
      label: t("live_loss"),
    });
    drawn(this.places.accuracy, {
      series: [
        { name: t("live_accuracy_training"), points: of(measures, (one) => one.training) },
        { name: t("live_accuracy_test"), points: of(measures, (one) => one.accuracy) },
      ],
      y: { label: t("live_accuracy"), least: 0, most: 1 },
      label: t("live_accuracy"),
    });
    drawn(this.places.norms, {
      series: this.layers.map(({ kind, shape }, i) => ({
        name: `${i + 1} ${kind} (${shape.join(", ")})`,
        points: of(points, (one) => (one.norms[i] > 0 ? one.norms[i] : null)),
      })),
      y: { label: t("live_norms"), log: true },
      label: t("live_norms"),
    });
  }
}

const upTo = (kept, latest) => (latest && latest.step !== kept.at(-1)?.step ? [...kept, latest] : kept);

/** The weights of each layer, and one digit on its way through them. */
export class Glimpse {
  constructor(choose) {
    const digits = Array.from({ length: 10 }, (_, digit) => [String(digit), { text: String(digit) }]);
    this.chips = choices(digits, "3", (digit) => choose(Number(digit)), { label: "live_digit" });
    this.image = make("canvas", { class: "seen", role: "img" });
    this.bars = new Bars("live_probabilities");
    this.layers = make("div", { class: "layer-rows" });
    this.step = make("p", { class: "hint" });
    this.element = make(
      "div",
      { class: "glimpse" },
      make("div", { class: "ask" }, make("span", { class: "label", t: "live_digit" }), this.chips, make("div", { class: "seen-row" }, this.image, this.bars.element)),
      make("div", { class: "ask" }, this.step, this.layers),
    );
    window.addEventListener("themechange", () => this.show());
  }

  add(seen) {
    this.seen = seen;
    this.show();
  }

  show() {
    if (!this.seen) return;
    const { image, label, probabilities, layers, step } = this.seen;
    paintInk(this.image, inRows(unpack(image).values));
    this.image.setAttribute("aria-label", String(label));
    this.chips.press(String(label));
    this.bars.show(probabilities);
    this.step.textContent = t("live_glimpse", { step });
    this.step.dataset.step = String(step);
    this.layers.replaceChildren(...layers.map((layer, i) => row(layer, i)));
  }
}

function row({ kind, shape, columns, weights, activations }, i) {
  const name = `${i + 1} ${kind} (${shape.join(", ")})`;
  const [rows, maps] = [Math.ceil(weights.shape[0] / columns), activations.shape[0]];
  const images = (sent, places, label) => {
    const { tall, wide, ...array } = unpack(sent);
    return tiles(array, new Arrangement(places, [tall, wide]), label, 520, 12);
  };
  return make(
    "div",
    { class: "layer-row" },
    make("h3", {}, name),
    images(weights, [rows, columns], t("live_weights_of", { name })),
    images(activations, maps > 1 ? [Math.ceil(maps / 8), Math.min(maps, 8)] : [1, 1], t("live_activations_of", { name })),
  );
}
