/** Whether an address, as a URL or as `host:port`, leads to this machine by its name alone. */
export function isLoopback(address: string): boolean {
  return /^(?:[a-z]+:\/\/)?(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)/i.test(address);
}

/** Whether a URL sends what it carries over a network in plain text. */
export function isPlainAbroad(url: string): boolean {
  return /^http:/i.test(url) && !isLoopback(url);
}
