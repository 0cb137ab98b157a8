// Lesson 5: a training as it runs, changed on the way. It lives on the server for as long as a page watches it.
import { ask, events, smallPrint } from "../api.js";
import { t, translated } from "../texts.js";
import { Course, Glimpse } from "./live_views.js";
import { choices, labelled, make, newest, number, numberField } from "./parts.js";

const NETWORKS = ["two-layer", "mlp", "lenet5"];
const OPTIMIZERS = ["sgd", "momentum", "adam"];
const DATA = ["digits", "mnist"];
const NAMES = { mnist: "MNIST", adam: "Adam" }; // the same in every language
const PACES = ["2", "20", "100"];
const RATES = [-4, 2]; // powers of ten
const RETRIES = 3;
const called = (name) => NAMES[name] ?? t(`live_${name}`);
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export class LiveLesson {
  static lesson = "live";
  static concepts = 3;
  static tasks = 3;
  static formula = "L = (1/n) · Σ −log y[t]\nw ← w − η · ∂L/∂w";

  constructor(bench, tell) {
    this.tell = tell;
    this.asked = { network: "two-layer", data: "digits", optimizer: "sgd", learning_rate: 0.1, batch_size: 64 };
    this.state = null;
    this.course = new Course();
    this.glimpse = new Glimpse((digit) => this.change({ digit }));
    this.build(bench);
    this.pending = [];
    this.send = newest(() => this.sendChanges());
    this.offer();
    this.follow(new URLSearchParams(location.search).get("training"));
    translated(() => this.show());
  }

  build(bench) {
    const chosen = (field, names, text) => choices(names.map((name) => [name, text(name)]), this.asked[field], (name) => (this.asked[field] = name), { label: `live_${field}` });
    const named = (name) => (NAMES[name] ? { text: NAMES[name] } : { t: `live_${name}` });
    this.data = chosen("data", DATA, named);
    const rate = numberField("live-first-rate", "live_first_rate", (value) => (this.asked.learning_rate = value), "0.1");
    const batch = numberField("live-batch", "live_batch", (value) => (this.asked.batch_size = value), "64");
    this.start = make("button", { type: "submit", class: "main", id: "live-start", t: "live_start" });
    const form = make(
      "form",
      { class: "start", onsubmit: (event) => (event.preventDefault(), this.begin()) },
      labelled("live_network", chosen("network", NETWORKS, (name) => ({ text: name }))),
      labelled("live_data", this.data),
      labelled("live_optimizer", chosen("optimizer", OPTIMIZERS, named)),
      make("div", { class: "row" }, rate.label, batch.label, this.start),
    );
    bench.append(
      make("div", { class: "card" }, form),
      this.controls(),
      make("div", { class: "card" }, make("h2", { t: "live_course" }), this.course.element),
      make("div", { class: "card ask" }, make("h2", { t: "live_inside" }), make("p", { class: "hint", t: "live_inside_hint" }), this.glimpse.element),
    );
  }

  controls() {
    this.status = make("div", { class: "verdict", id: "live-status", role: "status" });
    this.figures = make("dl", { class: "figures", id: "live-figures" });
    const button = (name, act, attributes = {}) => make("button", { type: "button", id: `live-${name}`, onclick: act, ...attributes });
    this.toggle = button("toggle", () => this.change({ running: !this.state.running }));
    this.single = button("step", () => this.change({ step: true }), { t: "live_single" });
    this.stop = button("end", () => this.change({ end: true }), { t: "live_end" });
    this.slider = make("input", { type: "range", min: RATES[0], max: RATES[1], step: "0.05", id: "live-slider", label: "live_rate_slider", oninput: () => this.change({ learning_rate: Number((10 ** this.slider.value).toPrecision(2)) }) });
    this.exact = numberField("live-rate", "live_rate", (value) => this.change({ learning_rate: value }));
    this.pace = choices(PACES.map((pace) => [pace, { text: pace }]), "20", (pace) => this.change({ pace: Number(pace) }), { label: "live_pace" });
    this.share = make("p", { class: "hint", id: "live-share" });
    this.control = make(
      "div",
      { class: "card ask", hidden: true },
      this.status,
      this.figures,
      make("div", { class: "row control-row" }, this.toggle, this.single, this.stop),
      make(
        "div",
        { class: "dials" },
        make("div", { class: "dial" }, this.exact.label, this.slider),
        labelled("live_pace", this.pace),
      ),
      this.share,
    );
    return this.control;
  }

  async offer() {
    try {
      const { data } = await ask("lessons/training");
      for (const button of this.data.children) button.hidden = !data.includes(button.dataset.name);
    } catch (error) {
      this.tell(error);
    }
  }

  /** Begin a training instead of the one that is watched, which goes on if other pages watch it. */
  async begin() {
    this.start.disabled = true;
    try {
      const watches = this.training && !this.state?.reason && this.begun?.training === this.training;
      const instead = watches ? { training: this.training, watcher: this.begun.watcher } : null;
      const pace = this.state?.pace ?? 20;
      const { training } = await ask("lessons/training", { ...this.asked, pace, instead });
      this.tell(null);
      this.follow(training);
    } catch (error) {
      this.tell(error);
    } finally {
      this.start.disabled = false;
    }
  }

  /** Watch a training to its end; what is told of another one that was watched before is ignored. */
  async follow(training) {
    if (!training) return;
    this.following?.abort();
    const following = (this.following = new AbortController());
    this.training = training;
    // so that a page that is loaded again, or another one, watches the same
    history.replaceState(null, "", `?training=${encodeURIComponent(training)}${location.hash}`);
    for (let failures = 0; !following.signal.aborted; ) {
      try {
        for await (const [name, told] of events("lessons/training/watch", { training }, following)) {
          failures = 0;
          if (following.signal.aborted) return;
          this.hear(name, told);
        }
        return;
      } catch (error) {
        if (following.signal.aborted) return;
        failures += 1;
        if (error.status !== 0 || failures > RETRIES) {
          this.lost(error);
          return;
        }
        await wait(failures);
      }
    }
  }

  hear(name, told) {
    if (name === "begin") {
      this.begun = told;
      this.course.begin(told.layers);
    } else if (name === "course") this.course.add(told);
    else if (name === "glimpse") this.glimpse.add(told);
    else if (name === "state") this.state = told;
    else if (name === "beat") ask("lessons/training/watching", { training: this.training, watcher: this.begun.watcher }).catch(() => {});
    if (name === "state") this.show();
    if (name === "course") this.showFigures();
  }

  /** Nobody tells any more what becomes of the training. */
  lost(error) {
    this.tell(error);
    this.training = null;
    if (this.state) this.state = { ...this.state, running: false, reason: this.state.reason || "lost" };
    this.show();
  }

  change(what) {
    if (!this.training || !this.state || this.state.reason) return;
    const last = this.pending.at(-1);
    if (!last || what.step || last.step) this.pending.push(what);
    else Object.assign(last, what);
    this.send();
  }

  /** All changes since the last time, at once; but each single step by itself, and in its turn. */
  async sendChanges() {
    while (this.pending.length) {
      const what = this.pending.shift();
      try {
        this.state = await ask("lessons/training/change", { training: this.training, ...what });
        this.tell(null);
      } catch (error) {
        this.tell(error);
      }
      this.show();
    }
  }

  show() {
    this.course.schedule();
    this.glimpse.show();
    if (!this.state || !this.begun) return;
    const { running, learning_rate: rate, pace, reason, detail, watchers } = this.state;
    const { network, data, optimizer, batch_size: size } = this.begun;
    const kind = reason || (running ? "running" : "waiting");
    this.control.hidden = false;
    this.status.className = `verdict ${reason === "diverged" || reason === "failed" ? "bad" : running ? "good" : ""}`;
    this.status.dataset.kind = kind;
    const what = t("live_what", { network, data: called(data), optimizer: called(optimizer), size });
    this.status.replaceChildren(make("p", { class: "headline" }, t(`live_is_${kind}`)), make("p", {}, what), ...smallPrint(detail));
    this.toggle.textContent = t(running ? "live_wait" : "live_go_on");
    for (const element of [this.toggle, this.single, this.stop, this.slider, this.exact, ...this.pace.children]) element.disabled = Boolean(reason);
    if (document.activeElement !== this.exact) this.exact.value = String(rate);
    if (document.activeElement !== this.slider) this.slider.value = String(Math.log10(rate));
    this.slider.setAttribute("aria-valuetext", String(rate));
    this.pace.press(String(pace));
    this.share.textContent = reason ? "" : t("live_watchers", { watchers });
    this.showFigures();
  }

  showFigures() {
    const { latest: point, measured: measure } = this.course;
    if (!this.begun || !measure) return;
    const epoch = (point?.step ?? 0) / this.begun.steps_an_epoch;
    const rows = [
      ["live_step", String(point?.step ?? 0), point?.step ?? 0],
      ["live_epoch", epoch.toFixed(1), epoch],
      ["live_loss_figure", point ? number(point.mean, 3) : "–", point?.mean],
      ["live_accuracy_test", `${(100 * measure.accuracy).toFixed(1)} %`, measure.accuracy],
    ];
    this.figures.replaceChildren(...rows.map(([name, text, value]) => make("div", {}, make("dt", { t: name }), make("dd", { "data-name": name, "data-value": value ?? "" }, text))));
  }
}
