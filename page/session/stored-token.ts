const name = 'hatchet.token';

/** In the session's storage, or for "stay signed in" in the one that outlives the browser. */
export function storedToken(): string | null {
  return read(sessionStorage) ?? read(localStorage);
}

export function storeToken(token: string, options: { stay: boolean }): void {
  forgetToken();
  write(options.stay ? localStorage : sessionStorage, token);
}

export function forgetToken(): void {
  for (const storage of [sessionStorage, localStorage]) {
    try {
      storage.removeItem(name);
    } catch {
      // Storage that is switched off holds nothing.
    }
  }
}

function read(storage: Storage): string | null {
  try {
    return storage.getItem(name);
  } catch {
    return null;
  }
}

function write(storage: Storage, token: string): void {
  try {
    storage.setItem(name, token);
  } catch {
    // The token lives in memory alone then: until the page is loaded again.
  }
}
