// The view that reads what is drawn while it is drawn.
import { ask, base64, newKey, sendFeedback } from "./api.js";
import { paintInk } from "./maps.js";
import { Pad } from "./pad.js";
import { percent, t, translated } from "./texts.js";

const $ = (id) => document.getElementById(id);
const NUMBER_PAUSE = 250; // milliseconds without a new point before a whole number is read

export class Draw {
  constructor(drawing, tell) {
    this.drawing = drawing;
    this.mode = drawing.mode;
    this.sending = false;
    this.tell = tell;
    this.record = null; // the last picture that was read, what was read of it, and a key for each correction of it
    this.pad = new Pad($("draw-pad"), drawing);
    this.makeBars();
    this.listen();
    drawing.addEventListener("change", () => this.changed());
    window.addEventListener("themechange", () => this.show());
    translated(() => {
      this.makeChoices();
      this.show();
    });
  }

  get answer() {
    return this.record?.answer ?? null;
  }

  makeBars() {
    this.bars = [...Array(10).keys()].map((digit) => {
      const item = document.createElement("li");
      item.innerHTML = '<span class="name"></span><span class="track"><span class="fill"></span></span><span class="share"></span>';
      item.querySelector(".name").textContent = digit;
      $("bars").append(item);
      return item;
    });
  }

  makeChoices() {
    $("choices").replaceChildren(
      ...[...Array(10).keys(), null].map((digit) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = digit ?? t("none_of_these");
        button.disabled = this.sending;
        button.addEventListener("click", () => this.correct(digit === null ? null : String(digit)));
        return button;
      }),
    );
  }

  listen() {
    const { drawing } = this;
    $("undo").addEventListener("click", () => drawing.undo());
    $("clear").addEventListener("click", () => drawing.clear());
    $("pen").addEventListener("input", (event) => (drawing.width = Number(event.target.value)));
    for (const button of document.querySelectorAll(".segments [data-mode]")) {
      button.addEventListener("click", () => drawing.use(button.dataset.mode));
    }
    window.addEventListener("keydown", (event) => {
      if ($("view-draw").hidden && $("view-inside").hidden) return;
      if (event.target.matches("input, select")) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") drawing.undo();
      else if (event.key === "Delete") drawing.clear();
      else return;
      event.preventDefault();
    });
    $("wrong").addEventListener("click", () => this.open($("correction").hidden));
    $("correction").addEventListener("submit", (event) => {
      event.preventDefault();
      this.correct($("correct-text").value.trim());
    });
  }

  open(wanted) {
    $("correction").hidden = !wanted;
    $("wrong").setAttribute("aria-expanded", String(wanted));
    const number = this.drawing.mode === "number";
    $("correct-digit").hidden = number;
    $("correct-number").hidden = !number;
    $("correct-text").required = number;
    if (wanted && number) $("correct-text").value = this.answer?.text ?? "";
  }

  changed() {
    this.version = (this.version ?? 0) + 1;
    this.open(false);
    $("thanks").textContent = "";
    clearTimeout(this.timer);
    const other = this.mode !== this.drawing.mode;
    this.mode = this.drawing.mode;
    if (other || this.drawing.blank) this.forget();
    this.wait(!this.drawing.blank);
    if (this.drawing.blank) return;
    if (this.drawing.mode === "digit") this.read();
    else this.timer = setTimeout(() => this.read(), NUMBER_PAUSE);
  }

  /** What was read, or is on its way, belongs to a drawing that is gone. */
  forget() {
    this.turn = (this.turn ?? 0) + 1;
    this.record = null;
    this.show();
  }

  /** Whether the newest drawing has yet to be read: until then what is shown is not to be corrected. */
  wait(pending) {
    $("answer").setAttribute("aria-busy", String(pending));
    $("wrong").disabled = pending || !this.record;
  }

  /** Have the newest drawing read; while one is being read, only the newest waits. */
  async read() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.turn = (this.turn ?? 0) + 1;
    const { turn, version } = this;
    try {
      const began = performance.now();
      const body = new FormData();
      const number = this.drawing.mode === "number";
      const picture = await this.drawing.picture();
      body.append("image", picture);
      const answer = number ? numberOf(await ask("read", body)) : await ask("classify?seen=true", body);
      if (turn === this.turn) {
        this.record = { picture, answer: { ...answer, number, ms: performance.now() - began }, keys: new Map() };
        this.tell(null);
        this.show();
      }
    } catch (error) {
      this.tell(error);
      if (turn === this.turn) this.forget();
    } finally {
      this.busy = false;
      const again = this.again && !this.drawing.blank;
      this.again = false;
      if (again) this.read();
      else if (version === this.version) this.wait(false);
    }
  }

  show() {
    const { answer } = this;
    const number = this.drawing.mode === "number";
    $("drawing").dataset.mode = this.drawing.mode;
    for (const button of document.querySelectorAll(".segments [data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === this.drawing.mode));
    }
    $("bars").hidden = number;
    $("number-digits").hidden = !number;
    $("look").hidden = number;
    $("answer").dataset.state = answer ? (answer.value ?? answer.text ?? null) === null ? "none" : "read" : "blank";
    $("value").textContent = answer ? (number ? answer.text : answer.value) ?? "–" : "";
    $("value").classList.toggle("long", number);
    const [headline, detail] = this.words();
    $("headline").textContent = headline;
    $("detail").textContent = detail;
    this.showSeen();
    if (number) this.showDigits();
    else this.showBars();
  }

  words() {
    const { answer } = this;
    if (!answer && !this.drawing.blank) return ["", ""]; // not read yet, or it could not be
    if (!answer || answer.reason === "blank") return [t("blank"), t("blank_detail")];
    if (answer.number && answer.text === null) return [t("no_number_found"), t("no_number_detail")];
    if (!answer.number && answer.value === null) {
      return [t("no_digit"), t("no_digit_detail", { share: percent(answer.digit_probability ?? 0) })];
    }
    const certainty = answer.confidence >= 0.95 ? "sure" : answer.confidence >= 0.75 ? "fairly" : "unsure";
    return [t(certainty), t("confidence_of", { share: percent(answer.confidence), ms: Math.round(answer.ms) })];
  }

  showSeen() {
    const seen = this.answer?.seen;
    $("seen-figure").hidden = !seen;
    if (seen) paintInk($("seen"), seen);
  }

  showBars() {
    const probabilities = this.answer?.probabilities ?? Array(10).fill(0);
    this.bars.forEach((item, digit) => {
      const share = probabilities[digit];
      item.querySelector(".fill").style.transform = `scaleX(${share})`;
      item.querySelector(".share").textContent = this.answer ? percent(share) : "";
      item.classList.toggle("best", this.answer?.value === digit);
    });
  }

  showDigits() {
    $("number-digits").replaceChildren(
      ...(this.answer?.digits ?? []).map((digit) => {
        const item = document.createElement("li");
        const value = document.createElement("b");
        value.textContent = digit.value;
        const share = document.createElement("span");
        share.textContent = percent(digit.confidence);
        item.append(value, share);
        return item;
      }),
    );
  }

  /** Send what it should have been; the same again, after a failure or in haste, comes with the same key. */
  async correct(correct) {
    if (this.sending || !this.record) return;
    const { record, record: { answer, picture, keys } } = this;
    const read = answer.number ? answer.text : answer.value;
    if (!keys.has(correct)) keys.set(correct, newKey());
    this.send(true);
    try {
      const kept = await sendFeedback({
        image: await base64(picture),
        correct,
        read: read === null ? null : String(read),
        confidence: answer.confidence,
        source: "draw",
        model: answer.model ?? null,
        key: keys.get(correct),
      });
      if (record !== this.record) return;
      this.open(false);
      $("thanks").textContent = t(kept ? "thanks" : "feedback_off");
    } catch (error) {
      this.tell(error);
    } finally {
      this.send(false);
    }
  }

  send(pending) {
    this.sending = pending;
    for (const control of $("correction").querySelectorAll("button")) control.disabled = pending;
  }
}

/** The one number of a drawing: the most of what was read on it. */
function numberOf(read) {
  const { model, pages: [page] } = read;
  const numbers = [...page.numbers, ...page.doubtful];
  const best = numbers.sort((one, other) => other.digits.length - one.digits.length)[0];
  return { ...(best ?? { text: null, confidence: 0, digits: [] }), model };
}
