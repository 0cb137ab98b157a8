// Many maps side by side: the channels of a layer, the filters of a convolution.
import { figure, one, paintSigned } from "./maps.js";
import { t } from "./texts.js";

const MOST_TILES = 48;
const MOST_SIDE = 1200; // pixels of a mosaic, which is drawn whole up to then
const ACROSS = 32; // of what has no rows of its own

/** The size of maps, for people. */
export const sides = (maps) => (maps.tall === 1 && maps.count === 1 ? `${maps.wide}` : `${maps.count} × ${maps.tall} × ${maps.wide}`);

/** A vector as channels of one number each. */
export const channels = (maps) => (maps.count === 1 && maps.tall === 1 ? { ...maps, count: maps.wide, wide: 1 } : maps);

/** What a layer gives, channel by channel; of the last one each channel is a digit, or none. */
export function layerTiles(maps, last) {
  const many = channels(maps);
  if (many.count > MOST_TILES && many.tall === 1) return [whole(sides(maps), many, ACROSS)];
  const most = Math.max(Math.abs(maps.low), Math.abs(maps.high));
  const digits = last && (many.count === 10 || many.count === 11);
  const name = (index) => (digits ? (index < 10 ? index : t("none_of_these")) : index + 1);
  const shown = Array.from({ length: Math.min(many.count, MOST_TILES) }, (_, index) =>
    figure(String(name(index)), "", (canvas) => paintSigned(canvas, one(many, index), { most })),
  );
  if (many.count > MOST_TILES) shown.push(hint(t("more_maps", { count: many.count - MOST_TILES })));
  return shown;
}

/** The filters of a convolution: a row for each channel out, a column for each of the `columns` channels in. */
export function filterTiles(maps, columns, size) {
  const out = maps.count / columns;
  const places = { out, into: columns, tall: maps.tall, wide: maps.wide };
  if (columns === 1) return [hint(t("filters_one", places)), whole(size, maps, Math.min(out, 12))];
  const rows = Math.min(out, Math.floor(MOST_SIDE / (maps.tall + 1)));
  const across = Math.min(columns, Math.floor(MOST_SIDE / (maps.wide + 1)));
  const cut = rows < out || across < columns ? [hint(t("filters_cut", { rows, across }))] : [];
  return [hint(t("filters_many", places)), ...cut, whole(size, maps, columns, rows, across)];
}

function hint(text) {
  return Object.assign(document.createElement("p"), { className: "hint", textContent: text });
}

function whole(caption, maps, columns, ...shown) {
  const element = figure(caption, "", (canvas) => mosaic(canvas, maps, columns, ...shown));
  element.className = "whole";
  return element;
}

/** Maps in rows of `columns`, a pixel apart; the first `rows` rows, and of each the first `across` maps. */
function mosaic(canvas, maps, columns, rows = Math.ceil(maps.count / columns), across = columns) {
  const [tall, wide] = [rows * (maps.tall + 1) - 1, across * (maps.wide + 1) - 1];
  const values = new Float32Array(tall * wide);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < across; column += 1) {
      const index = row * columns + column;
      if (index >= maps.count) continue;
      const map = one(maps, index).values;
      for (let i = 0; i < map.length; i += 1) {
        const y = row * (maps.tall + 1) + Math.floor(i / maps.wide);
        values[y * wide + column * (maps.wide + 1) + (i % maps.wide)] = map[i];
      }
    }
  }
  paintSigned(canvas, { ...maps, tall, wide, values });
}

/** The mean of a layer's maps. */
export function thumbnail(canvas, maps) {
  const size = maps.tall * maps.wide;
  const values = new Float32Array(size);
  for (let i = 0; i < maps.values.length; i += 1) values[i % size] += maps.values[i] / maps.count;
  const most = values.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
  const square = maps.tall === 1 && maps.wide > 1 ? grid(values, Math.ceil(Math.sqrt(maps.wide))) : { tall: maps.tall, wide: maps.wide, values };
  paintSigned(canvas, square, { most });
}

const grid = (values, wide) => {
  const tall = Math.ceil(values.length / wide);
  const filled = new Float32Array(tall * wide);
  filled.set(values);
  return { tall, wide, values: filled };
};
