// Photos that have more than the server takes are made smaller before they are sent.
const CANVAS_PIXELS = 16_000_000; // more does not fit on the canvas of every phone
const QUALITY = 0.92;

/** The file itself, or a smaller JPEG of it; what the browser cannot show as a picture is left to the server. */
export async function shrunk(file, limits) {
  const picture = await shown(file);
  if (!picture) return file;
  try {
    const pixels = picture.naturalWidth * picture.naturalHeight;
    if (!pixels || (pixels <= limits.pixels && file.size <= limits.bytes)) return file;
    const canvas = document.createElement("canvas");
    const scale = Math.min(1, Math.sqrt(Math.min(limits.pixels, CANVAS_PIXELS) / pixels));
    canvas.width = Math.max(1, Math.floor(picture.naturalWidth * scale));
    canvas.height = Math.max(1, Math.floor(picture.naturalHeight * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // paper, where a picture is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return smaller ?? file;
  } finally {
    URL.revokeObjectURL(picture.src);
  }
}

/** The file as a picture whose size is known; null if it is none. */
function shown(file) {
  const picture = new Image();
  return new Promise((resolve) => {
    picture.addEventListener("load", () => resolve(picture));
    picture.addEventListener("error", () => {
      URL.revokeObjectURL(picture.src);
      resolve(null);
    });
    picture.src = URL.createObjectURL(file);
  });
}
