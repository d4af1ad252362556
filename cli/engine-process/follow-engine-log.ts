import { statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** Read at once; a log that grows faster is read in several steps. */
const chunkBytes = 64 * 1024;

/** A look at a log that did not grow costs one `stat`. Watchers of files drop what comes within milliseconds of another change, and so the last line. */
const lookEveryMs = 100;

export interface EngineLogFollower {
  stop(): Promise<void>;
}

/**
 * Whole lines of a log as they are written, also when it is put aside for a new file. A program that writes to a file
 * outlives its reader, which a pipe would not let it.
 * @param options.past bytes before the present end that are read first
 */
export function followEngineLog(
  path: string,
  options: { past: number; onLines: (lines: readonly string[]) => void },
): EngineLogFollower {
  let offset: number | undefined;
  let decoder = new StringDecoder('utf8');
  let rest = '';
  let inode: number | undefined;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    const { size, ino } = await stat(path);
    if (offset === undefined) {
      offset = Math.max(0, size - options.past);
      // The first line may be cut in two.
      rest = offset === 0 ? '' : '\0';
    }
    if (size < offset || (inode !== undefined && ino !== inode)) {
      [offset, rest, decoder] = [0, '', new StringDecoder('utf8')];
    }
    inode = ino;
    if (size === offset) return;
    const file = await open(path, 'r');
    try {
      for (let at = offset; at < size; at = offset) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(chunkBytes, size - at)), { position: at });
        if (bytesRead === 0) return;
        offset = at + bytesRead;
        const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split('\n');
        rest = lines.pop() ?? '';
        const whole = lines.filter((line) => line !== '' && !line.startsWith('\0'));
        if (whole.length > 0) options.onLines(whole);
      }
    } finally {
      await file.close();
    }
  };
  // What is there now is the past. Asked at once: to a later answer, what is written meanwhile would be the past too.
  if (options.past === 0) offset = sizeOf(path);
  const look = (): void => {
    // It may be gone for a moment; the next look finds the new one.
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
  };
  const timer = setInterval(look, lookEveryMs);
  look();
  return {
    async stop() {
      clearInterval(timer);
      await reading;
    },
  };
}

/** 0 of one that is not there, or that may not be looked at. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
