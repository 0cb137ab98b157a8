// The view of how often values come: bars between the lowest and the highest.
import { draw, number } from "../parts.js";

const [WIDE, TALL, BINS] = [320, 120, 31];

/** Counts of values in `BINS` equal parts of low..high. */
export function bins(values, low, high) {
  const counts = new Array(BINS).fill(0);
  const width = (high - low) / BINS || 1;
  for (const value of values) {
    if (Number.isFinite(value)) counts[Math.max(0, Math.min(BINS - 1, Math.floor((value - low) / width)))] += 1;
  }
  return counts;
}

/** Of values, or of counts of them; `name` writes the ends of the axis. */
export function histogram({ values, low, high, counts = bins(values, low, high) }, label, kind = "value", name = (value) => number(value, 3)) {
  const most = Math.max(...counts, 1);
  const picture = draw("svg", { class: `histogram ${kind}`, viewBox: `0 0 ${WIDE} ${TALL + 22}`, role: "img", "aria-label": label });
  for (const [i, count] of counts.entries()) {
    const height = (TALL - 4) * Math.sqrt(count / most); // roots, so that single values are still seen
    picture.append(draw("rect", { x: (i * WIDE) / counts.length + 0.75, y: TALL - height, width: WIDE / counts.length - 1.5, height }));
  }
  picture.append(draw("path", { class: "axis", d: `M0 ${TALL} H${WIDE}` }));
  const text = (x, anchor, value) => {
    const element = draw("text", { x, y: TALL + 16, "text-anchor": anchor });
    element.textContent = name(value);
    picture.append(element);
  };
  text(0, "start", low);
  text(WIDE, "end", high);
  if (low < 0 && high > 0) {
    const zero = (-low / (high - low)) * WIDE;
    picture.append(draw("path", { class: "zero", d: `M${zero} 0 V${TALL}` }));
    if (zero > 60 && zero < WIDE - 60) text(zero, "middle", 0);
  }
  return picture;
}
