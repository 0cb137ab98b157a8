// Requests to the server, its key, and what it says when something goes wrong.
import { has, t } from "./texts.js";

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? String(status));
    this.status = status;
    this.kind = (document.type ?? "").split("/").pop();
  }

  /** The problem in the language of the page. */
  get text() {
    const key = `problem_${this.kind}`;
    return t(has(key) ? key : "problem_other", { detail: this.message });
  }
}

const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given) {
  sessionStorage.setItem("key", given);
  history.replaceState(null, "", location.pathname);
}

/** JSON from the server; `body` is a FormData or a plain object. */
export async function ask(path, body, { signal } = {}) {
  const headers = {};
  const key = sessionStorage.getItem("key");
  if (key) headers.Authorization = `Bearer ${key}`;
  let content = body;
  if (body && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { method: body ? "POST" : "GET", headers, body: content, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { type: "/problems/offline", detail: error.message });
  }
  if (answer.status === 401) {
    await askForKey();
    return ask(path, body, { signal });
  }
  const document = await answer.json();
  if (!answer.ok) throw new Problem(answer.status, document);
  return document;
}

let asking = null;

function askForKey() {
  const dialog = document.getElementById("key-dialog");
  asking ??= new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const field = document.getElementById("key");
        sessionStorage.setItem("key", field.value);
        field.value = "";
        asking = null;
        resolve();
      },
      { once: true },
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.showModal();
  });
  return asking;
}

let promised = null;

/** What the server can do; asked once. */
export function health() {
  promised ??= ask("health").catch((error) => {
    promised = null;
    throw error;
  });
  return promised;
}

/** Send a correction or a review; false if this server keeps none. */
export async function sendFeedback(feedback) {
  if (!(await health()).feedback) return false;
  await ask("feedback", feedback);
  return true;
}

export async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
