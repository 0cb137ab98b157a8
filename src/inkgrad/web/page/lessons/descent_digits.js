// The two-layer network on real digits: batch sizes, optimizers and learning rates side by side, part by part.
import { ask } from "../api.js";
import { share, t, translated } from "../texts.js";
import { PACES, RULES, color, paceEntries, ruleEntries } from "./descent_rules.js";
import { Trouble, choices, labelled, make, number, numberField } from "./parts.js";
import { Trainer } from "./trainer.js";
import { sample } from "./views/contour.js";
import { curve } from "./views/curve.js";

const BATCHES = ["full", "mini", "single"];

export class DigitsBench {
  constructor(bench, tell, rates) {
    this.tell = tell;
    this.rates = rates;
    this.asked = { compare: "batches", batch: "mini", rule: "sgd", pace: "right", axis: "images", own: null };
    this.runs = [];
    this.build(bench);
    translated(() => this.show());
  }

  build(bench) {
    const change = (what) => this.change(what);
    const compare = choices(["batches", "rules", "rates"].map((name) => [name, { t: `descent_compare_${name}` }]), "batches", (name) => change({ compare: name }), { label: "descent_compare", id: "descent-compare" });
    const axis = choices(["images", "updates"].map((name) => [name, { t: `descent_by_${name}` }]), "images", (name) => this.turn(name), { label: "descent_axis" });
    this.settings = {
      batches: labelled("descent_batch", choices(BATCHES.map((name) => [name, { t: `descent_${name}` }]), "mini", (batch) => change({ batch }), { label: "descent_batch" })),
      rules: labelled("descent_rule", choices(ruleEntries, "sgd", (rule) => change({ rule }), { label: "descent_rule" })),
      rates: labelled("descent_rate", choices(paceEntries, "right", (pace) => change({ pace }), { label: "descent_rate" })),
    };
    this.own = numberField("digits-rate", "descent_own", (own) => (change({ own }), this.tryOwn()));
    this.trouble = new Trouble(this.tell, "descent");
    this.trainer = new Trainer("descent-train", "descent_train", (going) => this.train(going), (error) => this.explain(error));
    this.verdicts = make("ul", { class: "verdicts", id: "digits-verdicts" });
    this.curves = make("div", { id: "digits-curves" });
    bench.append(
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "descent_on_digits" }),
        make("p", { class: "hint", t: "descent_digits_hint" }),
        labelled("descent_compare", compare),
        ...Object.values(this.settings),
        make("div", { class: "row" }, this.own.label, this.trainer.button),
        this.trouble.element,
        this.verdicts,
        labelled("descent_axis", axis),
        this.curves,
      ),
    );
    this.change({});
  }

  change(what) {
    this.trainer.stop();
    Object.assign(this.asked, what);
    for (const [name, element] of Object.entries(this.settings)) element.hidden = name === this.asked.compare;
    this.own.label.hidden = this.asked.compare !== "rates";
    this.runs = this.planned();
    this.show();
  }

  /** What is trained side by side. */
  planned() {
    const { compare, batch, rule, pace, own } = this.asked;
    const run = (what) => {
      const all = { batch, rule, pace, ...what };
      return { ...all, rate: all.rate ?? this.rates[all.batch][all.rule][PACES.indexOf(all.pace)], points: [], diverged: null, accuracy: null, done: false };
    };
    if (compare === "batches") return BATCHES.map((name, i) => ({ ...run({ batch: name }), name: `descent_${name}`, color: i }));
    if (compare === "rules") return RULES.map((name) => ({ ...run({ rule: name }), name: `descent_${name}`, color: color(name) }));
    const runs = PACES.map((name, i) => ({ ...run({ pace: name }), name: `descent_${name}`, color: i }));
    return own !== null ? [...runs, { ...run({ rate: own }), name: "descent_own", color: 3 }] : runs;
  }

  /** Its first part, so that what is wrong with a rate stands there before the training of all. */
  async tryOwn() {
    const { batch, rule, own } = this.asked;
    try {
      if (own !== null) await ask("lessons/batches", { batch, optimizer: rule, rate: own });
      this.explain(null);
    } catch (error) {
      this.explain(error);
    }
  }

  explain(error) {
    this.trouble.explain(error, { rate: this.asked.own });
  }

  /** Part after part of each, until all are done. */
  async train(going) {
    this.runs = this.planned();
    for (let part = 1, parts = 1; part <= parts; part += 1) {
      for (const run of this.runs.filter(({ done }) => !done)) {
        const found = await ask("lessons/batches", { batch: run.batch, optimizer: run.rule, rate: run.rate, part });
        if (!going()) return;
        parts = found.parts;
        run.points.push(...found.images.map((images, i) => ({ images, updates: found.updates[i], loss: found.losses[i] })));
        Object.assign(run, { accuracy: found.accuracy, diverged: found.diverged, done: found.diverged !== null || part === parts });
      }
      this.show();
    }
    this.explain(null);
  }

  turn(axis) {
    this.asked.axis = axis;
    this.show();
  }

  show() {
    this.trainer.tell();
    this.verdicts.replaceChildren(...this.runs.map((run) => this.verdict(run)));
    const { axis } = this.asked;
    const begun = this.runs.some(({ points }) => points.length);
    this.curves.classList.toggle("empty", !begun);
    if (!begun) return this.curves.replaceChildren();
    const least = axis === "updates" ? 1 : 0; // 0 has no place on a logarithmic axis
    const series = this.runs.map((run) => ({ name: t(run.name), end: t(run.name).split(/[:：]/)[0], color: run.color, points: run.points.filter((point) => point[axis] >= least).map((point) => [point[axis], point.loss]) }));
    return this.curves.replaceChildren(curve({ series, x: { label: t(`descent_by_${axis}`), log: axis === "updates" }, y: { label: t("descent_loss"), log: true }, label: t("descent_on_digits") }));
  }

  verdict({ name, color: of, rate, points, diverged, accuracy, done }) {
    const told = { name: t(name), rate: typeof rate === "number" ? number(rate) : rate };
    const [first, last] = [points[0]?.loss, points.at(-1)?.loss];
    let [key, kind] = ["descent_waits", ""];
    if (diverged !== null) [key, kind] = ["descent_digits_diverged", "bad"];
    else if (done && last > 0.99 * first) [key, kind] = ["descent_nothing", "bad"];
    else if (points.length) [key, kind] = ["descent_learns", done && accuracy > 0.8 ? "good" : ""];
    const text = t(key, { ...told, diverged, loss: last === undefined ? "" : number(last, 3), accuracy: accuracy === null ? "" : share(accuracy) });
    return make("li", { class: kind, "data-name": name, "data-verdict": key }, sample(of), make("span", {}, text));
  }
}
