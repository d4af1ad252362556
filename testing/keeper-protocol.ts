import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * What goes over the keeper's socket: one JSON object a line. A connection is a lease: the user sends its wish and keeps
 * the connection open; once it ends its side, or its process dies, the keeper drops the database, and with the last
 * lease itself.
 */
export interface Wish {
  /** `hold` keeps the server for others. */
  want: 'database' | 'hold';
}

export type KeeperMessage =
  | { kind: 'granted'; pid: number; database: { url: string; folder: string } | null }
  | { kind: 'refused'; message: string; remedy: string }
  /** It was the last lease: the process ends. */
  | { kind: 'ending' };

/** One keeper per user, temporary folder and copy of the package. */
export function keeperAddress(packageFolder: string): string {
  const { username, uid } = userInfo();
  const key = createHash('sha256').update(`${tmpdir()}\0${packageFolder}`).digest('hex').slice(0, 16);
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\hatchet-testing-${username}-${key}`
    : join(tmpdir(), `hatchet-testing-${uid}-${key}.sock`);
}

/** Calls back with each whole line. */
export function onLines(socket: NodeJS.ReadableStream, callback: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string | Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) callback(line);
  });
}
