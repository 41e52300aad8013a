// Random ids. `crypto.randomUUID` exists only on pages from https or localhost.

/** Returns 128 random bits as hexadecimal digits. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
