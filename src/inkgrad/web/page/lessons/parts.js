// What the lessons are built of: elements, the frame around each, numbers, and waiting for the server.
import { tellOf } from "../api.js";
import { has, t, translated, write } from "../texts.js";

const SVG = "http://www.w3.org/2000/svg";
const NAMED = new Map([["t", "t"], ["label", "tLabel"]]);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (NAMED.has(name)) element.dataset[NAMED.get(name)] = value; // for when the language changes
    if (name === "t") write(element, t(value));
    else if (name === "label") element.setAttribute("aria-label", t(value));
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** An element; `t` and `label` name texts for its content and its accessible name, `onclick` and the like listen. */
export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** A number as the lessons write it: six significant digits, as Python's `:.6g`. */
export function number(value, digits = 6) {
  if (!Number.isFinite(value)) return String(value);
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -5 && power < digits) return String(Number(value.toPrecision(digits))).replace("-", "−");
  const sign = power < 0 ? "−" : "+";
  return `${Number(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`.replace("-", "−");
}

/** A cell or a field whose number can be read in full. */
export const numbered = (tag, value, attributes = {}) =>
  make(tag, { ...attributes, "data-value": value ?? "" }, value === null || value === undefined ? "–" : number(value));

/** The frame of a lesson: what it teaches, a bench to work at, what to do, and a question. */
export function lessonFrame(Lesson, at, next) {
  const { lesson, concepts, formula, tasks } = Lesson;
  const key = (end) => `${lesson}_${end}`;
  const bench = make("div", { class: "bench" });
  const texts = (name, count, tag) => Array.from({ length: count }, (_, i) => make(tag, { t: key(`${name}_${i + 1}`) }));
  const section = make(
    "section",
    { class: "lesson", id: `view-${lesson}`, "aria-labelledby": `title-${lesson}` },
    make("h1", { id: `title-${lesson}`, t: key("title") }),
    make(
      "div",
      { class: "card teach" },
      make("div", {}, ...texts("concept", concepts, "p")),
      make("div", {}, make("pre", { class: "formula", tabindex: "0", label: "formula" }, formula), make("p", { class: "hint", t: key("source") })),
    ),
    bench,
    make(
      "div",
      { class: "card tasks" },
      make("div", {}, make("h2", { t: "to_do" }), make("ol", {}, ...texts("do", tasks, "li"))),
      make(
        "div",
        {},
        make("h2", { t: "question" }),
        make("p", { t: key("question") }),
        make("details", {}, make("summary", { t: "answer" }), make("p", { t: key("answer") })),
      ),
    ),
    ...(next ? [make("a", { class: "button main next", href: `#${next}` }, make("span", { t: "next_lesson" }), " ", make("span", { t: `${next}_title` }))] : []),
  );
  section.dataset.number = String(at + 1);
  return { section, bench };
}

/** An element below its name. */
export const labelled = (key, element) => make("div", {}, make("span", { class: "label", t: key }), element);

/**
 * A field for a number, with its `label`. `changed` gets the number, null where nothing stands there, or the text where
 * that is no number: what is wrong with it the server says.
 */
export function numberField(id, key, changed, value = null) {
  const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", id, value });
  input.addEventListener("change", () => changed(typed(input.value)));
  return Object.assign(input, { label: make("label", { class: "short" }, make("span", { t: key }), input) });
}

function typed(text) {
  const plain = text.trim().replace("−", "-");
  if (plain === "") return null;
  return Number.isFinite(Number(plain)) ? Number(plain) : plain;
}

/** The line beside a question that tells what the server cannot use of it; what else goes wrong goes to `tell`. */
export class Trouble {
  constructor(tell, lesson) {
    Object.assign(this, { tell, lesson, error: null, places: {} });
    this.element = make("p", { class: "trouble", role: "alert", hidden: true });
    translated(() => this.show());
  }

  /** Of a field the lesson may have words of its own, LESSON_wrong_FIELD, with these places; else the server's are shown. */
  explain(error, places = {}) {
    const mine = error?.status === 422;
    this.tell(mine ? null : error);
    Object.assign(this, { error: mine ? error : null, places });
    this.show();
    return mine;
  }

  show() {
    this.element.hidden = this.error === null;
    const key = `${this.lesson}_wrong_${this.error?.field}`;
    this.element.replaceChildren(...(this.error ? (has(key) ? [t(key, this.places)] : tellOf(this.error)) : []));
  }
}

/** Buttons of which one is pressed. */
export function choices(entries, chosen, choose, attributes = {}) {
  const group = make("div", { class: "chips", role: "group", ...attributes });
  const press = (name) => {
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.name === name));
  };
  for (const [name, shown] of entries) {
    const button = make("button", { type: "button", ...shown, "data-name": name, onclick: () => (press(name), choose(name)) });
    if (shown.text) button.textContent = shown.text;
    group.append(button);
  }
  press(chosen);
  return Object.assign(group, { press });
}

/** Buttons of which any number are pressed; `change` gets the names of those that are, in their order. */
export function toggles(entries, chosen, change, attributes = {}) {
  const pressed = new Set(chosen);
  const names = entries.map(([name]) => name);
  const group = make("div", { class: "chips", role: "group", ...attributes });
  for (const [name, shown] of entries) {
    const toggle = () => {
      if (!pressed.delete(name)) pressed.add(name);
      button.setAttribute("aria-pressed", String(pressed.has(name)));
      change(names.filter((one) => pressed.has(one)));
    };
    const button = make("button", { type: "button", ...shown, "data-name": name, "aria-pressed": String(pressed.has(name)), onclick: toggle });
    group.append(button);
  }
  return group;
}

/** Runs `work` for the newest call alone: one at a time, and of those that wait meanwhile only the last. */
export function newest(work) {
  let running = false;
  let waiting = null;
  return async function run(...given) {
    if (running) {
      waiting = given;
      return;
    }
    running = true;
    try {
      await work(...given);
    } finally {
      running = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        run(...next);
      }
    }
  };
}
