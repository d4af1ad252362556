import { createHash } from 'node:crypto';

/**
 * The key of a memo, in hex. Our SDK sends what the memo depends on as a JSON list; Hatchet's own, and ours for a long
 * list, the SHA-256 of the task's id and that list. To a log both are the same memo.
 */
const patchPrefix = Buffer.from('patched:').toString('hex');
const digestChars = 64;
const shownDeps = 60;

/** The memo of a patch: its code asks whether the run came here with the change. */
export function isPatchKey(key: string): boolean {
  return key.startsWith(patchPrefix);
}

export function isSameMemo(taskId: string, one: string, other: string): boolean {
  if (one === other) return true;
  if (one.length === digestChars && depsOf(one) === undefined) return digestOf(taskId, other) === one;
  if (other.length === digestChars && depsOf(other) === undefined) return digestOf(taskId, one) === other;
  return false;
}

/** In a few words, for people. */
export function describeMemoKey(key: string): string {
  if (isPatchKey(key)) return `patched(${textOf(key).slice('patched:'.length)})`;
  const deps = depsOf(key);
  if (deps === undefined) return `memo ${key.slice(0, 12)}`;
  return `memo(${deps.length > shownDeps ? `${deps.slice(0, shownDeps)}…` : deps})`;
}

function textOf(key: string): string {
  return Buffer.from(key, 'hex').toString();
}

/** What the memo depends on, if its key says so: the inside of a JSON list. */
function depsOf(key: string): string | undefined {
  const text = textOf(key);
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return text.slice(1, -1);
}

function digestOf(taskId: string, key: string): string | undefined {
  const deps = depsOf(key);
  return deps === undefined ? undefined : createHash('sha256').update(`${taskId}[${deps}]`).digest('hex');
}
