// Arrays of numbers as pictures: ink, and values around zero in blue and orange.

/** MAPS of the server: {shape: [n, h, w], low, high, data} -> {count, tall, wide, low, high, values}. */
export function unpack(maps) {
  const [count, tall, wide] = maps.shape;
  const bytes = Uint8Array.from(atob(maps.data), (letter) => letter.charCodeAt(0));
  const values = new Float32Array(bytes.length);
  const step = (maps.high - maps.low) / 255;
  for (let i = 0; i < bytes.length; i += 1) values[i] = maps.low + step * bytes[i];
  return { count, tall, wide, low: maps.low, high: maps.high, values };
}

export const one = (maps, index) => {
  const size = maps.tall * maps.wide;
  return { ...maps, count: 1, values: maps.values.subarray(index * size, (index + 1) * size) };
};

function color(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

function paint(canvas, tall, wide, shade) {
  canvas.width = wide;
  canvas.height = tall;
  const context = canvas.getContext("2d");
  const image = context.createImageData(wide, tall);
  for (let i = 0; i < tall * wide; i += 1) image.data.set(shade(i), 4 * i);
  context.putImageData(image, 0, 0);
}

const mix = (from, to, share) => from.map((value, i) => Math.round(value + (to[i] - value) * share));

/** 28 rows of 0..255, ink on paper in the colors of the theme. */
export function paintInk(canvas, rows) {
  const [paper, ink] = [color("--map-zero"), color("--map-ink")];
  const flat = rows.flat();
  paint(canvas, rows.length, rows[0].length, (i) => [...mix(paper, ink, flat[i] / 255), 255]);
}

/** Values around zero, `most` at the full color; over a digit's outline if its `ink` (0..1, of the same size) is given. */
export function paintSigned(canvas, maps, { most = Math.max(Math.abs(maps.low), Math.abs(maps.high)), ink = null } = {}) {
  const [zero, below, above, pen] = ["--map-zero", "--map-below", "--map-above", "--map-ink"].map(color);
  paint(canvas, maps.tall, maps.wide, (i) => {
    const share = Math.max(-1, Math.min(1, maps.values[i] / (most || 1)));
    const ground = ink ? mix(zero, pen, 0.22 * ink[i]) : zero;
    return [...mix(ground, share < 0 ? below : above, Math.abs(share) ** 0.8), 255];
  });
}

/** A map brought to another size by straight lines between its values, as Grad-CAM's to that of the image. */
export function enlarge(maps, tall, wide) {
  const values = new Float32Array(tall * wide);
  const spot = (at, to, from) => Math.max(0, Math.min(((at + 0.5) * from) / to - 0.5, from - 1));
  for (let y = 0; y < tall; y += 1) {
    for (let x = 0; x < wide; x += 1) {
      const [row, column] = [spot(y, tall, maps.tall), spot(x, wide, maps.wide)];
      const [top, left] = [Math.floor(row), Math.floor(column)];
      const [low, right] = [Math.min(top + 1, maps.tall - 1), Math.min(left + 1, maps.wide - 1)];
      const at = (r, c) => maps.values[r * maps.wide + c];
      const upper = at(top, left) + (at(top, right) - at(top, left)) * (column - left);
      const lower = at(low, left) + (at(low, right) - at(low, left)) * (column - left);
      values[y * wide + x] = upper + (lower - upper) * (row - top);
    }
  }
  return { ...maps, tall, wide, values };
}

/** A figure with a canvas and a caption. */
export function figure(caption, note, draw) {
  const element = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", note ? `${caption}: ${note}` : caption);
  draw(canvas);
  element.append(canvas);
  const text = document.createElement("figcaption");
  text.textContent = caption;
  element.append(text);
  if (note) {
    const small = document.createElement("p");
    small.className = "hint";
    small.textContent = note;
    element.append(small);
  }
  return element;
}
