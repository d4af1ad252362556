import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { wrongUse } from '../cli-error.ts';
import { maxPayloadBytes } from './check-input.ts';

/** Where a payload comes from; without either it is `{}`. */
export interface InputFlags {
  input?: string;
  /** A path, or `-` for stdin. */
  inputFile?: string;
}

/**
 * @param flag which gives the path, for the message
 * @throws CliError with exit code 2
 */
export async function readInput(
  context: CliContext,
  flags: InputFlags,
  flag = '--input-file',
): Promise<{ text: string; from: string }> {
  const { input, inputFile } = flags;
  if (input !== undefined && inputFile !== undefined)
    throw wrongUse('--input and --input-file were both given', 'Give one of them.');
  if (input !== undefined) return { text: input, from: '--input' };
  if (inputFile === undefined) return { text: '{}', from: 'the input' };
  if (inputFile === '-') return { text: await readAll(context.stdin, 'stdin'), from: 'stdin' };
  const path = resolve(context.cwd, inputFile);
  try {
    if (statSync(path).isDirectory()) throw new Error('it is a folder');
    return { text: await readAll(createReadStream(path), inputFile), from: inputFile };
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'CliError') throw cause;
    throw wrongUse(
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      `Check the path that ${flag} gives.`,
    );
  }
}

/** Stops one byte over the limit: a wrong path to something huge must not fill the memory. */
async function readAll(stream: AsyncIterable<Buffer | string>, what: string): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    const buffer = typeof part === 'string' ? Buffer.from(part) : part;
    bytes += buffer.length;
    parts.push(buffer);
    if (bytes > maxPayloadBytes)
      throw wrongUse(
        `${what} has more than ${maxPayloadBytes.toLocaleString('en')} bytes (4 MiB)`,
        'Store large data elsewhere, and pass its address.',
      );
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}
