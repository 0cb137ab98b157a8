// Requests to the server, and what it says when something goes wrong.
import { askForKey } from "./ask_key.js";
import { theKey } from "./key.js";
import { has, t } from "./texts.js";

const PLAIN = ["busy", "offline", "timeout", "unauthorized", "feedback-off"]; // whose text says all that there is to say

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? String(status));
    this.status = status;
    this.kind = (document.type ?? "").split("/").pop();
    this.field = document.errors?.[0]?.field ?? "";
    this.places = { extra: document.extra ?? "" };
  }

  /** The problem in the language of the page. */
  get text() {
    const [field] = this.field.split("."); // of kernel.0.1 the kernel
    const keys = [`problem_${this.kind}_${field}`, `problem_${this.kind}`, "problem_other"];
    return t(keys.find(has), this.places);
  }

  /** What the server says of it, which is English; nothing where that says no more. */
  get detail() {
    return PLAIN.includes(this.kind) ? "" : this.message;
  }
}

/** An error as nodes: its text, and in small print the words of the server. */
export function tellOf(error) {
  const text = document.createElement("span");
  text.textContent = error.text ?? t("problem_other");
  return [text, ...smallPrint(error.text ? error.detail : error.message)];
}

/** English words in small print, if there are any. */
export function smallPrint(words) {
  if (!words) return [];
  return [Object.assign(document.createElement("small"), { lang: "en", textContent: words })];
}

/** What the server answers to a request, with its key if it asks for one. */
async function answered(path, body, signal) {
  const key = theKey();
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let content = body;
  if (body && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { method: body ? "POST" : "GET", headers, body: content, signal });
  } catch (error) {
    throw offline(error);
  }
  if (answer.status === 401) {
    const there = key !== theKey() || (await askForKey(key !== null)); // it may have been given to another request
    if (!there) throw new Problem(401, { type: "/problems/unauthorized" });
    return answered(path, body, signal);
  }
  return answer;
}

const offline = (error) => (error.name === "AbortError" ? error : new Problem(0, { type: "/problems/offline", detail: error.message }));

async function read(answer) {
  let told;
  try {
    told = await answer.json();
  } catch (error) {
    throw new Problem(answer.status, { detail: `${answer.status} ${error.message}` });
  }
  if (!answer.ok) throw new Problem(answer.status, told);
  return told;
}

/** JSON from the server; `body` is a FormData or a plain object. */
export async function ask(path, body, { signal } = {}) {
  return read(await answered(path, body, signal));
}

/** Server-sent events as they come, [name, data]; an EventSource would send neither key nor body. */
export async function* events(path, body, { signal } = {}) {
  const answer = await answered(path, body, signal);
  if (!answer.ok) await read(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      throw offline(error);
    }
    if (part.done) return;
    const whole = (text + part.value).split("\n\n");
    text = whole.pop();
    for (const one of whole) yield [/^event: (.*)$/m.exec(one)[1], JSON.parse(/^data: (.*)$/m.exec(one)[1])];
  }
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

/** A name for what is sent, so that it is kept once however often it comes. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
