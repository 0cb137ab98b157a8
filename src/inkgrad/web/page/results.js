// What was read, as files.

/** The numbers of a page in reading order, sure and doubtful ones together, each with its page. */
export function inOrder(page) {
  const all = [...page.numbers, ...page.doubtful].map((number) => {
    const ys = number.box.map((point) => point[1]);
    const xs = number.box.map((point) => point[0]);
    const place = { y: (Math.min(...ys) + Math.max(...ys)) / 2, x: Math.min(...xs), tall: Math.max(...ys) - Math.min(...ys) };
    return { ...number, page: page.page, place };
  });
  all.sort((one, other) => one.place.y - other.place.y);
  const lines = [];
  for (const number of all) {
    const line = lines.at(-1);
    if (line && number.place.y - line[0].place.y < 0.6 * Math.max(line[0].place.tall, number.place.tall)) line.push(number);
    else lines.push([number]);
  }
  return lines.flatMap((line) => line.sort((one, other) => one.place.x - other.place.x));
}

const quoted = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

/** A row for each number; `final` is what a reviewer said, or what was read. */
export function toCsv(numbers, least) {
  const head = ["page", "text", "written", "confidence", "doubtful", "review", "final", "x", "y"];
  const rows = numbers.map((number) => {
    const [x, y] = number.box[0].map((value) => Math.round(value));
    const final = number.status ? (number.correct ?? "") : number.text;
    const doubtful = number.confidence < least;
    return [number.page, number.text, number.written, number.confidence, doubtful, number.status ?? "", final, x, y];
  });
  return [head, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

/** The server's answer without its pictures, and what a reviewer said. */
export function toJson(pages, numbers, least) {
  const told = pages.map((page) => {
    if (page.error) return { page: page.page, error: page.error };
    const own = numbers.filter((number) => number.page === page.page);
    return {
      page: page.page,
      width: page.width,
      height: page.height,
      numbers: own.map(({ text, written, confidence, box, digits, free, status, correct }) => {
        const review = status ? { review: status, final: correct } : { review: null, final: text };
        return { text, written, confidence, doubtful: confidence < least, ...review, box, digits, free };
      }),
    };
  });
  return `${JSON.stringify({ pages: told }, null, 2)}\n`;
}

export function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
