// A page that was read: its picture, with a box around each number and each digit.
import { smallPrint } from "./api.js";
import { percent, t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const AROUND = [1, 0.4]; // heights of a number that are shown beside it, and above and below
const CLOSE = [0.12, 0.12];

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
    this.caption.replaceChildren(t(page.error ? "page_failed" : "page", { page: page.page }), ...smallPrint(page.error));
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

  /** The number on `canvas` with some of what is around it, outlined; the number alone as a PNG. */
  async crop(number, canvas) {
    await this.picture.decode();
    const scale = this.picture.naturalWidth / this.page.width;
    const corners = number.box.map((point) => point.map((at) => at * scale));
    const around = this.part(corners, AROUND);
    const alone = document.createElement("canvas");
    this.draw(alone, this.part(corners, CLOSE));
    this.draw(canvas, around);
    outline(canvas, corners.map(([x, y]) => [x - around.left, y - around.top]));
    return new Promise((resolve) => alone.toBlob(resolve, "image/png"));
  }

  /** What of the picture holds the corners, with so many heights of them on the sides, above and below. */
  part(corners, [beside, above]) {
    const [xs, ys] = [0, 1].map((axis) => corners.map((point) => point[axis]));
    const tall = Math.max(...ys) - Math.min(...ys);
    const left = Math.max(0, Math.min(...xs) - beside * tall);
    const top = Math.max(0, Math.min(...ys) - above * tall);
    const right = Math.min(this.picture.naturalWidth, Math.max(...xs) + beside * tall);
    const bottom = Math.min(this.picture.naturalHeight, Math.max(...ys) + above * tall);
    return { left, top, wide: Math.max(1, Math.round(right - left)), high: Math.max(1, Math.round(bottom - top)) };
  }

  draw(canvas, { left, top, wide, high }) {
    canvas.width = wide;
    canvas.height = high;
    canvas.getContext("2d").drawImage(this.picture, left, top, wide, high, 0, 0, wide, high);
  }
}

/** Fade what is outside of the corners. */
function outline(canvas, corners) {
  const context = canvas.getContext("2d");
  const path = new Path2D();
  path.moveTo(...corners.at(-1));
  for (const corner of corners) path.lineTo(...corner);
  const outside = new Path2D(path);
  outside.rect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "rgb(255 255 255 / 65%)";
  context.fill(outside, "evenodd");
  context.strokeStyle = "#1f5fa8";
  context.lineWidth = Math.max(1, canvas.width / 200);
  context.stroke(path);
}

function polygon(box, kind) {
  const shape = document.createElementNS(SVG, "polygon");
  shape.setAttribute("points", box.map((point) => point.join(",")).join(" "));
  shape.setAttribute("class", kind);
  return shape;
}
