// Descents on a surface: paths over its contours, step by step, and their losses as curves.
import { ask } from "../api.js";
import { t, translated, write } from "../texts.js";
import { PACES, color, paceEntries, ruleEntries } from "./descent_rules.js";
import { Trouble, choices, labelled, make, newest, number, numberField, numbered, toggles } from "./parts.js";
import { Player } from "./player.js";
import { ContourView, sample } from "./views/contour.js";
import { curve, narrow } from "./views/curve.js";

export class SurfaceBench {
  constructor(bench, tell, surfaces) {
    this.tell = tell;
    this.surfaces = Object.fromEntries(surfaces.map((one) => [one.name, one]));
    this.asked = { surface: "ravine", pace: "right", rules: ["sgd", "momentum", "adam"], rate: null, start: null };
    this.paths = [];
    this.build(bench);
    this.load = newest(() => this.ask());
    this.choose("ravine");
    narrow.addEventListener("change", () => this.place());
    translated(() => this.paths.length && this.showAll());
  }

  build(bench) {
    const change = (what) => this.change(what);
    const surfaces = choices(Object.keys(this.surfaces).map((name) => [name, { t: `descent_${name}` }]), "ravine", (name) => this.choose(name), { label: "descent_surfaces" });
    this.formula = make("code", { id: "descent-formula" });
    const rules = toggles(ruleEntries, this.asked.rules, (chosen) => change({ rules: chosen }), { label: "descent_rules" });
    this.paces = choices(paceEntries, "right", (pace) => this.pace(pace), { label: "descent_paces" });
    this.rate = numberField("descent-rate", "descent_own", (value) => this.own(value));
    this.x = numberField("descent-x", "descent_start_x", (x) => this.moved(0, x));
    this.y = numberField("descent-y", "descent_start_y", (y) => this.moved(1, y));
    this.seen = make("p", { id: "descent-seen" });
    this.trouble = new Trouble(this.tell, "descent");
    this.player = new Player(() => this.show(), "descent_step");
    this.view = new ContourView((x, y) => change({ start: [x, y] }));
    this.player.listen(this.view.element);
    this.verdicts = make("ul", { class: "verdicts", id: "descent-verdicts" });
    this.rows = make("tbody", { id: "descent-rows" });
    this.curves = make("div", { id: "descent-curves" });
    const heads = ["descent_rule", "descent_rate", "descent_x", "descent_y", "descent_gradient", "descent_loss"].map((key, i) => make("th", { scope: "col", t: key, class: i ? "figure" : null }));
    const table = make("div", { class: "scroll", tabindex: "0", label: "descent_places" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.rows));
    this.walk = make("div", { class: "card walk" }, this.player.element, this.view.element, make("p", { class: "hint", t: "descent_legend" }), make("div", { role: "status" }, this.verdicts), table);
    bench.append(
      make(
        "div",
        { class: "card ask" },
        make("h2", { t: "descent_on_surface" }),
        make("div", { class: "row" }, labelled("descent_surfaces", surfaces), this.formula),
        this.seen,
        labelled("descent_rules", rules),
        make("div", { class: "row" }, labelled("descent_paces", this.paces), this.rate.label),
        make("div", { class: "row" }, this.x.label, this.y.label),
        this.trouble.element,
      ),
      this.walk,
      make("div", { class: "card ask" }, make("h2", { t: "descent_heights" }), this.curves),
    );
  }

  get surface() {
    return this.surfaces[this.asked.surface];
  }

  choose(name) {
    this.asked.surface = name;
    this.formula.textContent = `f(x, y) = ${this.surface.formula}`;
    this.seen.dataset.t = `descent_seen_${name}`; // for when the language changes
    write(this.seen, t(this.seen.dataset.t));
    this.paths = [];
    this.view.place(this.surface);
    this.change({ start: null });
  }

  pace(pace) {
    this.rate.value = "";
    this.change({ pace, rate: null });
  }

  own(rate) {
    this.paces.press(rate === null ? this.asked.pace : null);
    this.change({ rate });
  }

  /** What stands nowhere is the surface's own. */
  moved(axis, value) {
    const start = [...(this.asked.start ?? this.surface.start)];
    start[axis] = value ?? this.surface.start[axis];
    this.change({ start });
  }

  change(what) {
    Object.assign(this.asked, what);
    const [x, y] = this.asked.start ?? this.surface.start;
    [this.x.value, this.y.value] = [String(x), String(y)];
    this.load();
  }

  place() {
    this.view.place(this.surface);
    this.show();
  }

  async ask() {
    const { surface, rules, pace, rate, start } = this.asked;
    const [x, y] = start ?? this.surface.start;
    const rateOf = (rule) => rate ?? this.surface.rates[rule][PACES.indexOf(pace)];
    try {
      const found = []; // one after the other, so that this page takes one place only of those that the server has
      for (const rule of rules) found.push(await ask("lessons/descend", { surface, optimizer: rule, rate: rateOf(rule), x, y }));
      if (surface !== this.asked.surface) return; // another was chosen meanwhile
      this.paths = found.map((path, i) => ({ ...path, rule: rules[i] }));
      this.explain(null);
      this.player.resize(Math.max(0, ...this.paths.map(({ places }) => places.length - 1)), 0);
      this.showAll();
      this.player.begin();
    } catch (error) {
      this.explain(error);
    }
  }

  /** What is wrong with what was asked stands beside it; the paths before it fade. */
  explain(error) {
    const [left, right, bottom, top] = this.surface.box;
    const [x, y] = this.asked.start ?? this.surface.start;
    this.walk.classList.toggle("stale", this.trouble.explain(error, { rate: this.asked.rate, x, y, left, right, bottom, top }));
  }

  showAll() {
    this.verdicts.replaceChildren(...this.paths.map((path) => this.verdict(path)));
    const { least } = this.surface;
    const series = this.paths.map(({ rule, places }) => ({ name: t(`descent_${rule}`), end: t(`descent_${rule}`), color: color(rule), points: places.map(({ loss }, k) => [k, loss - least]) }));
    if (series.length) this.curves.replaceChildren(curve({ series, x: { label: t("descent_step_axis") }, y: { label: t("descent_above"), log: true }, label: t("descent_heights") }));
    else this.curves.replaceChildren();
    this.show();
  }

  verdict({ rule, rate, places, arrived, diverged, leapt }) {
    const last = { rule: t(`descent_${rule}`), rate: number(rate), steps: places.length - 1, loss: number(places.at(-1).loss, 3), leapt: leapt && number(leapt, 2) };
    const [key, kind] = ending({ arrived, diverged, leapt });
    return make("li", { class: kind, "data-rule": rule, "data-verdict": key }, sample(color(rule)), make("span", {}, t(key, { ...last, arrived, diverged })));
  }

  show() {
    this.player.tell();
    const { at } = this.player;
    const seen = this.paths.map((path) => ({ ...path, seen: path.places.slice(0, at + 1) }));
    const label = t("descent_picture", { surface: t(`descent_${this.asked.surface}`) });
    this.view.element.setAttribute("aria-label", t("descent_keys"));
    this.view.show(seen.map(({ rule, seen: places }) => ({ color: color(rule), points: places.map(({ x, y }) => [x, y]) })), label);
    this.rows.replaceChildren(...seen.map(({ rule, rate, seen: places }) => this.row(rule, rate, places.at(-1))));
  }

  row(rule, rate, { x, y, loss, gradient }) {
    const figure = { class: "figure" };
    const cells = [numbered("td", rate, figure), numbered("td", x, { class: "figure value" }), numbered("td", y, { class: "figure value" }), make("td", { class: "figure gradient" }, gradient.map((part) => number(part, 3)).join(", ")), numbered("td", loss, figure)];
    return make("tr", { "data-rule": rule }, make("th", { scope: "row" }, sample(color(rule)), " ", t(`descent_${rule}`)), ...cells);
  }
}

/** The text for how a path ends, and whether that is good or bad. */
function ending({ arrived, diverged, leapt }) {
  if (diverged !== null) return ["descent_diverged", "bad"];
  if (leapt !== null) return [arrived === null ? "descent_leapt" : "descent_leapt_back", "bad"];
  return arrived === null ? ["descent_going", ""] : ["descent_arrived", "good"];
}
