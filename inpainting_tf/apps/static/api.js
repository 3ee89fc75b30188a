// Requests to the server. What it refuses becomes a Refusal with a line for people.

export class Refusal extends Error {}

export async function ask(path, { body, query = {}, method = body === undefined ? "GET" : "POST" } = {}) {
  const words = new URLSearchParams(query).toString();
  let response;
  try {
    response = await fetch(words ? `${path}?${words}` : path, { method, body });
  } catch {
    throw new Refusal("The server does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refusal(told.error || `The server answered ${response.status}.`);
}

export async function json(path, options) {
  return (await ask(path, options)).json();
}

export async function blob(path, options) {
  return (await ask(path, options)).blob();
}

// The name that the server gives a file to download.
export function fileName(response) {
  const given = response.headers.get("content-disposition") || "";
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(given);
  return encoded ? decodeURIComponent(encoded[1]) : (/filename="?([^";]+)"?/i.exec(given) || [, "picture"])[1];
}

export function save(data, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
