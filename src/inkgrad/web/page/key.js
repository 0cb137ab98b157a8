// The server's key: from the address (#key=...), which then no longer shows it, or from whoever is asked for it.
let key = remembered();

const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given !== null) {
  if (canBeKey(given)) keepKey(given);
  history.replaceState(null, "", location.pathname + location.search);
}

function remembered() {
  try {
    const found = sessionStorage.getItem("key");
    return found !== null && canBeKey(found) ? found : null;
  } catch {
    return null;
  }
}

/** What may stand in a header. */
export function canBeKey(text) {
  return /^[\x21-\x7e]+$/.test(text);
}

export function keepKey(text) {
  key = text;
  try {
    sessionStorage.setItem("key", text);
  } catch {
    // a page that may store nothing knows it until it is left
  }
}

/** The key, or null. */
export const theKey = () => key;
