// Talks to the coordinator. The token travels in a header only, never in a URL.

const kTokenKey = "convoy-token";
const kSilenceMs = 40_000;  // the coordinator speaks every 15 s at least
let token = sessionStorage.getItem(kTokenKey) ?? "";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function hasToken() {
  return token !== "";
}

export function useToken(text) {
  token = text;
  if (text) {
    sessionStorage.setItem(kTokenKey, text);
  } else {
    sessionStorage.removeItem(kTokenKey);
  }
}

async function request(path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { ...options, headers, cache: "no-store", redirect: "error" });
  if (!response.ok) {
    const said = await response.json().catch(() => ({}));
    throw new ApiError(response.status, said.message ?? `HTTP status ${response.status}`);
  }
  return response;
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

export async function stopRun(run, reason) {
  const body = JSON.stringify({ reason });
  return (await request(`api/runs/${encodeURIComponent(run)}:stop`, { method: "POST", body })).json();
}

/** Events of a text/event-stream, until it ends. EventSource cannot send the token. */
async function* events(path, signal) {
  const response = await request(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let timer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("silent for too long")), kSilenceMs);
    });
    const { value, done } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
    if (done) {
      return;
    }
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = {};
      for (const line of text.slice(0, end).split("\n")) {
        const colon = line.indexOf(": ");
        fields[line.slice(0, colon)] = line.slice(colon + 2);
      }
      text = text.slice(end + 2);
      if (fields.event) {
        yield { name: fields.event, data: JSON.parse(fields.data) };
      }
    }
  }
}

/**
 * Follows `path` until the signal says stop, beginning again whenever the connection is lost.
 * onEvent(name, data); onState("live" | "lost"); an ApiError that trying again cannot mend is thrown.
 */
export async function follow(path, { signal, onEvent, onState }) {
  let pauseMs = 500;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const leave = () => attempt.abort();
    signal.addEventListener("abort", leave);
    try {
      for await (const { name, data } of events(path, attempt.signal)) {
        pauseMs = 500;
        onState("live");
        onEvent(name, data);
      }
    } catch (error) {
      if (error instanceof ApiError && [400, 401, 403, 404].includes(error.status)) {
        throw error;
      }
    } finally {
      signal.removeEventListener("abort", leave);
      attempt.abort();
    }
    if (!signal.aborted) {
      onState("lost");
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(5000, 2 * pauseMs);
    }
  }
}
