import { copyFileSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';

const limitBytes = 10 * 1024 * 1024;

/** Opened for appending, so that it can be emptied under a running server. */
export function openServerLog(path: string): number {
  boundServerLog(path);
  return openSync(path, 'a', 0o600);
}

/** Keeps at most two files of 10 MiB. Lines written between the copy and the truncation are lost. */
export function boundServerLog(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= limitBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

export function lastLines(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-3).join(' / ');
  } catch {
    return 'it wrote no log';
  }
}
