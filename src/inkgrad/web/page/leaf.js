// A page that was read: its picture, with a box around each number and each digit.
import { percent, t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

export class Leaf {
  constructor(page, numbers, choose) {
    this.page = page;
    this.numbers = numbers;
    this.choose = choose;
    this.element = document.createElement("figure");
    this.element.className = "leaf";
    this.caption = document.createElement("figcaption");
    if (!page.error) {
      this.picture = new Image();
      this.picture.src = page.picture ? `data:image/jpeg;base64,${page.picture}` : "";
      this.picture.width = page.width;
      this.picture.height = page.height;
      const frame = document.createElement("div");
      frame.style.position = "relative";
      this.boxes = document.createElementNS(SVG, "svg");
      this.boxes.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
      this.boxes.setAttribute("aria-hidden", "true"); // the list beside it says and does the same
      frame.append(this.picture, this.boxes);
      this.element.append(frame);
      this.shapes = new Map();
    }
    this.element.append(this.caption);
  }

  show(isDoubtful, chosen) {
    const { page } = this;
    this.caption.textContent = page.error ? t("page_failed", { page: page.page, why: page.error }) : t("page", { page: page.page });
    if (page.error) return;
    this.picture.alt = t("page", { page: page.page });
    this.boxes.replaceChildren(
      ...this.numbers.flatMap((number) => {
        const state = number.status ? "done" : isDoubtful(number) ? "doubt" : "sure";
        return this.drawn(number, state, number === chosen);
      }),
    );
  }

  drawn(number, state, chosen) {
    const outline = polygon(number.box, `number ${state}${chosen ? " chosen" : ""}`);
    const title = document.createElementNS(SVG, "title");
    title.textContent = t("number_at", { text: number.text, share: percent(number.confidence) });
    outline.append(title);
    outline.addEventListener("click", () => this.choose(number));
    this.shapes.set(number, outline);
    const digits = number.digits.map((digit) => {
      const shape = polygon(digit.box, "digit");
      const name = document.createElementNS(SVG, "title");
      name.textContent = t("digit_at", { value: digit.value, share: percent(digit.confidence) });
      shape.append(name);
      shape.addEventListener("click", () => this.choose(number, digit));
      return shape;
    });
    const [left, top] = [Math.min(...number.box.map((p) => p[0])), Math.min(...number.box.map((p) => p[1]))];
    const size = Math.max(this.page.width / 60, 9);
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", left);
    text.setAttribute("y", top > size * 1.2 ? top - size * 0.25 : top + size);
    text.setAttribute("font-size", size);
    text.setAttribute("class", `label-${state}`);
    text.textContent = number.status ? (number.correct ?? "–") : number.written || number.text;
    return [outline, ...digits, text];
  }

  reveal(number) {
    this.shapes.get(number)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  /** The number's part of the picture on `canvas`, with some of what is around it. */
  async crop(number, canvas) {
    await this.picture.decode();
    const scale = this.picture.naturalWidth / this.page.width;
    const [xs, ys] = [0, 1].map((axis) => number.box.map((point) => point[axis] * scale));
    const tall = Math.max(...ys) - Math.min(...ys);
    const left = Math.max(0, Math.min(...xs) - 0.5 * tall);
    const top = Math.max(0, Math.min(...ys) - 0.35 * tall);
    const right = Math.min(this.picture.naturalWidth, Math.max(...xs) + 0.5 * tall);
    const bottom = Math.min(this.picture.naturalHeight, Math.max(...ys) + 0.35 * tall);
    const [wide, high] = [Math.max(1, Math.round(right - left)), Math.max(1, Math.round(bottom - top))];
    canvas.width = wide;
    canvas.height = high;
    canvas.getContext("2d").drawImage(this.picture, left, top, wide, high, 0, 0, wide, high);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
}

function polygon(box, kind) {
  const shape = document.createElementNS(SVG, "polygon");
  shape.setAttribute("points", box.map((point) => point.join(",")).join(" "));
  shape.setAttribute("class", kind);
  return shape;
}
