// The view into the network: what its layers make of the drawn digit, and why it answers as it does.
import { ask, base64 } from "./api.js";
import { enlarge, figure, one, paintInk, paintSigned, unpack } from "./maps.js";
import { Pad } from "./pad.js";
import { t, translated } from "./texts.js";
import { channels, filterTiles, layerTiles, sides, thumbnail } from "./tiles.js";

const $ = (id) => document.getElementById(id);
const PAUSE = 350; // milliseconds without a new point before the network is looked into
const QUICK = ["layers", "winner", "gradient", "grad_cam"];
const SLOW = ["integrated_gradients", "occlusion"];
const WHY = ["gradient", "integrated_gradients", "grad_cam", "occlusion"];
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

export class Inside {
  constructor(drawing, tell) {
    this.drawing = drawing;
    this.tell = tell;
    this.found = {};
    this.layer = 2;
    this.filter = 0;
    this.to = null;
    this.turn = 0;
    new Pad($("inside-pad"), drawing);
    $("inside-undo").addEventListener("click", () => drawing.undo());
    $("inside-clear").addEventListener("click", () => drawing.clear());
    drawing.addEventListener("change", () => this.changed());
    window.addEventListener("themechange", () => this.show());
    translated(() => this.show());
  }

  enter() {
    this.drawing.use("digit");
    if (this.stale) this.look();
  }

  changed() {
    this.stale = true;
    this.turn += 1;
    this.to = null;
    clearTimeout(this.timer);
    if (this.drawing.blank) {
      this.found = {};
      this.show();
    } else if (!$("view-inside").hidden) {
      this.timer = setTimeout(() => this.look(), PAUSE);
    }
  }

  /** Ask for everything, the quick parts first; what is drawn meanwhile makes it begin anew. */
  async look() {
    this.stale = false;
    clearTimeout(this.timer);
    if (this.drawing.blank || this.drawing.mode !== "digit") return;
    if (this.busy) {
      this.stale = true;
      return;
    }
    this.busy = true;
    const turn = this.turn;
    $("inside-found").classList.add("busy");
    try {
      this.image = await base64(await this.drawing.picture());
      const parts = this.filters ? QUICK : [...QUICK, "filters"];
      await this.part(turn, parts, true);
      await this.part(turn, SLOW);
      await this.part(turn, ["smallest_change"]);
      if (turn === this.turn) this.tell(null);
    } catch (error) {
      this.tell(error);
    } finally {
      this.busy = false;
      $("inside-found").classList.remove("busy");
      if (this.stale && !$("view-inside").hidden) this.look();
    }
  }

  async part(turn, parts, fresh = false) {
    if (turn !== this.turn) return;
    const target = parts.includes("smallest_change") ? this.to : null;
    const found = await ask("inside", { image: this.image, target, parts });
    if (turn !== this.turn) return;
    this.filters ??= found.filters;
    this.found = { ...(fresh ? {} : this.found), ...found };
    $("inside-found").classList.remove("busy");
    this.show();
  }

  async change(to) {
    this.to = to;
    const turn = this.turn;
    delete this.found.smallest_change;
    this.showChange();
    try {
      await this.part(turn, ["smallest_change"]);
    } catch (error) {
      this.tell(error);
    }
  }

  show() {
    const { found } = this;
    const there = found.value !== undefined;
    $("inside-empty").hidden = there;
    $("inside-found").hidden = !there;
    $("inside-value").textContent = there ? t(found.refused ? "inside_refused" : "inside_value", found) : "";
    if (!there) return;
    $("why").textContent = t("why", found);
    this.showWhy();
    this.showChange();
    if (found.layers) this.showLayers();
    this.showBehind();
    if (this.filters && found.layers) this.showFilters();
  }

  showWhy() {
    const { found } = this;
    const ink = found.seen.flat().map((value) => value / 255);
    $("why-maps").replaceChildren(
      ...WHY.filter((name) => found[name] !== null).map((name) =>
        figure(t(name), t(found[name] ? `${name}_hint` : "computing"), (canvas) => {
          if (!found[name]) paintInk(canvas, found.seen);
          else paintSigned(canvas, enlarge(unpack(found[name]), 28, 28), { ink });
        }),
      ),
    );
  }

  showChange() {
    const { found } = this;
    const pressed = document.activeElement?.closest("#change-to") ? document.activeElement.dataset.to : null;
    $("change-to").replaceChildren(
      ...[null, ...Array(10).keys()].map((to) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.to = String(to);
        button.textContent = to ?? t("nearest");
        button.disabled = to === found.value;
        button.setAttribute("aria-pressed", String(to === this.to));
        button.addEventListener("click", () => this.change(to));
        return button;
      }),
    );
    if (pressed) $("change-to").querySelector(`[data-to="${pressed}"]`)?.focus();
    const change = found.smallest_change;
    if (!change) {
      const told = document.createElement("p");
      told.className = "hint";
      told.textContent = t(change === null ? "change_none" : "computing");
      $("change-maps").replaceChildren(told);
      return;
    }
    const [after, difference] = [unpack(change.image), unpack(change.difference)];
    const rows = Array.from({ length: 28 }, (_, y) => [...after.values.subarray(28 * y, 28 * y + 28)]);
    const ink = found.seen.flat().map((value) => value / 255);
    $("change-maps").replaceChildren(
      figure(t("change_before", found), "", (canvas) => paintInk(canvas, found.seen)),
      figure(t("change_difference", { size: change.size.toFixed(2) }), "", (canvas) => paintSigned(canvas, difference, { ink })),
      figure(t("change_after", change), "", (canvas) => paintInk(canvas, rows)),
    );
  }

  showLayers() {
    const layers = this.found.layers.map((layer) => ({ ...layer, maps: unpack(layer.maps) }));
    this.layer = Math.min(this.layer, layers.length - 1);
    const step = (layer, index) => [`${index + 1} ${layer.kind}`, sides(layer.maps), (canvas) => thumbnail(canvas, layer.maps)];
    this.steps($("layer-steps"), layers.map(step), this.layer, (index) => {
      this.layer = index;
      this.showLayers();
    });
    const { name, kind, maps } = layers[this.layer];
    const note = document.createElement("p");
    note.className = "hint";
    const [low, high] = [maps.low, maps.high].map((value) => value.toFixed(2));
    note.textContent = t("layer_note", { number: this.layer + 1, name, kind, shape: sides(maps), low, high });
    $("layer-maps").replaceChildren(note, ...layerTiles(maps, this.layer === layers.length - 1));
  }

  showFilters() {
    const filters = this.filters.map((layer) => ({ ...layer, maps: unpack(layer.maps) }));
    const size = ({ columns, maps }) => `${maps.count / columns} × ${columns}, ${maps.tall} × ${maps.wide}`;
    const number = (layer) => this.found.layers.findIndex(({ name }) => name === layer.name) + 1 || layer.name;
    const step = (layer) => [`${number(layer)} ${layer.kind}`, size(layer), null];
    this.steps($("filter-steps"), filters.map(step), this.filter, (index) => {
      this.filter = index;
      this.showFilters();
    });
    const { columns, maps } = filters[this.filter];
    $("filter-maps").replaceChildren(...filterTiles(maps, columns, size(filters[this.filter])));
  }

  steps(place, entries, at, choose) {
    const scrolled = place.scrollLeft;
    const focused = place.contains(document.activeElement);
    place.replaceChildren(
      ...entries.map(([name, shape, draw], index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-pressed", String(index === at));
        if (draw) {
          const canvas = document.createElement("canvas");
          canvas.setAttribute("aria-hidden", "true");
          draw(canvas);
          button.append(canvas);
        }
        const small = document.createElement("small");
        small.textContent = shape;
        button.append(name, small);
        button.addEventListener("click", () => choose(index));
        return button;
      }),
    );
    place.scrollLeft = scrolled;
    if (focused) place.children[at].focus();
  }

  showBehind() {
    const { winner } = this.found;
    $("behind").closest("section").hidden = !winner;
    if (!winner) return;
    $("behind-hint").textContent = t("behind_hint", { value: winner.value, logit: winner.logit.toFixed(2), bias: winner.bias.toFixed(2) });
    const [features, weights, shares] = ["features", "weights", "shares"].map((name) => channels(unpack(winner[name])));
    const sums = Array.from({ length: shares.count }, (_, i) => one(shares, i).values.reduce((sum, value) => sum + value, 0));
    const order = [...sums.keys()].sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a])).slice(0, 12);
    const most = (maps) => Math.max(Math.abs(maps.low), Math.abs(maps.high));
    $("behind-maps").replaceChildren(
      ...order.map((index) => {
        const pair = document.createElement("div");
        pair.className = "pair";
        const title = document.createElement("p");
        title.textContent = t("channel", { number: index + 1, share: signed(sums[index]) });
        const maps = document.createElement("div");
        maps.append(
          figure(t("behind_feature"), "", (canvas) => paintSigned(canvas, one(features, index), { most: most(features) })),
          figure(t("behind_weight"), "", (canvas) => paintSigned(canvas, one(weights, index), { most: most(weights) })),
        );
        pair.append(title, maps);
        return pair;
      }),
    );
  }
}
