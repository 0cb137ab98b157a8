// A drawing of strokes, and the canvases on which it is drawn by mouse, touch, pen or keyboard.
import { t, translated } from "./texts.js";

const TALL = 280;
const STEP = 10;

/**
 * Strokes in their own units, TALL high: what is drawn stays sharp on every screen and is sent without one.
 * Each mode has a sheet of its own, which is there again when one comes back to it.
 */
export class Drawing extends EventTarget {
  constructor() {
    super();
    this.sheets = { digit: new Sheet(), number: new Sheet() };
    this.mode = "digit";
    this.width = 20;
  }

  get wide() {
    return this.mode === "digit" ? TALL : 2.2 * TALL;
  }

  get sheet() {
    return this.sheets[this.mode];
  }

  get strokes() {
    return this.sheet.strokes;
  }

  get blank() {
    return this.strokes.length === 0;
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  begin(x, y, width) {
    this.strokes.push([{ x, y, width }]);
    this.changed();
  }

  extend(points) {
    this.strokes.at(-1).push(...points);
    this.changed();
  }

  /** Take back the last stroke, or the last clearing. */
  undo() {
    if (this.sheet.undo()) this.changed();
  }

  clear() {
    if (this.sheet.clear()) this.changed();
  }

  use(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.changed();
  }

  /** Draw it with the context's colors; `scale` is pixels for each unit. */
  paint(context, scale) {
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) paintStroke(context, stroke, scale);
  }

  /** Black ink on white paper: a number as a PNG, a digit half as large, which is more than the network sees. */
  async picture() {
    const digit = this.mode === "digit";
    const canvas = document.createElement("canvas");
    const scale = digit ? 0.5 : 1;
    canvas.width = this.wide * scale;
    canvas.height = TALL * scale;
    const context = canvas.getContext("2d", { willReadFrequently: digit });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = "#000";
    this.paint(context, scale);
    return digit ? bare(context) : new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
}

/** A gray picture as a PGM file, its bare pixels: browsers take their time for a PNG, and a digit is read as it is drawn. */
function bare(context) {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i += 1) gray[i] = data[4 * i];
  return new Blob([`P5 ${width} ${height} 255\n`, gray], { type: "image/x-portable-graymap" });
}

/** Strokes, and those that were there before each clearing. */
class Sheet {
  constructor() {
    this.strokes = [];
    this.cleared = [];
  }

  undo() {
    if (this.strokes.length) this.strokes.pop();
    else if (this.cleared.length) this.strokes = this.cleared.pop();
    else return false;
    return true;
  }

  clear() {
    if (!this.strokes.length) return false;
    this.cleared.push(this.strokes);
    this.strokes = [];
    return true;
  }
}

function paintStroke(context, stroke, scale) {
  const [first] = stroke;
  if (stroke.length === 1) {
    context.beginPath();
    context.arc(first.x * scale, first.y * scale, (first.width * scale) / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  // Curves from middle to middle of the points; a piece for each, as a pen's width changes on the way.
  let from = first;
  for (let i = 1; i < stroke.length; i += 1) {
    const point = stroke[i];
    const before = stroke[i - 1];
    const last = i === stroke.length - 1;
    const to = last ? point : { x: (before.x + point.x) / 2, y: (before.y + point.y) / 2 };
    context.lineWidth = point.width * scale;
    context.beginPath();
    context.moveTo(from.x * scale, from.y * scale);
    context.quadraticCurveTo(before.x * scale, before.y * scale, to.x * scale, to.y * scale);
    context.stroke();
    from = to;
  }
}

/** A canvas in `place` that shows a drawing and draws on it. */
export class Pad {
  constructor(place, drawing) {
    this.drawing = drawing;
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.prompt = document.createElement("p");
    this.prompt.className = "prompt";
    this.prompt.setAttribute("aria-hidden", "true");
    place.append(this.canvas, this.prompt);
    this.cursor = null; // where the keyboard's pen is
    this.down = false;
    this.listen();
    new ResizeObserver(() => this.show()).observe(place);
    drawing.addEventListener("change", () => this.schedule());
    window.addEventListener("themechange", () => this.schedule());
    translated(() => this.name());
  }

  name() {
    this.canvas.setAttribute("aria-label", t(`pad_${this.drawing.mode}`));
    this.prompt.textContent = t(`pad_here_${this.drawing.mode}`);
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.show();
    });
  }

  show() {
    const { canvas, drawing } = this;
    canvas.style.aspectRatio = `${drawing.wide} / ${TALL}`;
    canvas.classList.toggle("broad", drawing.mode === "number");
    this.name();
    this.prompt.hidden = !drawing.blank || this.cursor !== null;
    const box = canvas.getBoundingClientRect();
    if (!box.width) return;
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(box.width * density);
    canvas.height = Math.round(box.height * density);
    const context = canvas.getContext("2d");
    const scale = canvas.width / drawing.wide;
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).getPropertyValue("--ink");
    drawing.paint(context, scale);
    if (this.cursor) {
      context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--accent");
      context.lineWidth = 2 * density;
      context.beginPath();
      context.arc(this.cursor.x * scale, this.cursor.y * scale, 9 * scale, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.drawing.wide / box.width;
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.5 + event.pressure : 1;
    return {
      x: (event.clientX - box.left) * scale,
      y: (event.clientY - box.top) * scale,
      width: this.drawing.width * pressed,
    };
  }

  listen() {
    const { canvas, drawing } = this;
    let pointer = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || pointer !== null) return;
      event.preventDefault();
      pointer = event.pointerId;
      canvas.setPointerCapture(pointer);
      this.cursor = null;
      this.down = false;
      const { x, y, width } = this.point(event);
      drawing.begin(x, y, width);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      drawing.extend((events.length ? events : [event]).map((one) => this.point(one)));
    });
    const end = (event) => {
      if (event.pointerId === pointer) pointer = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.cursor = null;
      this.down = false;
      this.schedule();
    });
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { drawing } = this;
    if (!(event.key in moves) && event.key !== " ") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.cursor ??= { x: drawing.wide / 2, y: TALL / 2 };
    if (event.key === " ") {
      this.down = !this.down;
      if (this.down) drawing.begin(this.cursor.x, this.cursor.y, drawing.width);
    } else {
      const [x, y] = moves[event.key];
      this.cursor.x = Math.min(Math.max(this.cursor.x + STEP * x, 0), drawing.wide);
      this.cursor.y = Math.min(Math.max(this.cursor.y + STEP * y, 0), TALL);
      if (this.down && !drawing.blank) drawing.extend([{ ...this.cursor, width: drawing.width }]);
    }
    this.schedule();
  }
}
