import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { safely } from './safe-reads.ts';

const packageName = 'hatchet-ts';

/** Folders above this file in which its package.json is looked for. */
const mostFolders = 6;

/** Where Node resumes promises and enters the context of a task: at the end of nearly every stack, and they say nothing. */
const passages = ['node:internal/process/task_queues', 'node:async_hooks', 'node:internal/async_local_storage'];

const folders = safely(ownFolders, []);

/**
 * A stack without the frames of the SDK, which say how the worker came to call the task. Where there is nothing else, all of
 * them: then the SDK itself is at fault.
 */
export function withoutOwnFrames(frames: readonly string[]): readonly string[] {
  const others = frames.filter((frame) => !isOwnFrame(frame));
  return others.length > 0 ? others : frames;
}

/** Of a line of a stack: says how the worker came to call the task, and nothing of the task. */
function isOwnFrame(frame: string): boolean {
  const plain = frame.replaceAll('\\', '/');
  return [...passages, ...folders].some((place) => plain.includes(place));
}

/** Whether a file is the SDK's, by its path. */
export function isOwnCode(path: string): boolean {
  const plain = path.replaceAll('\\', '/');
  return folders.some((folder) => plain.startsWith(folder));
}

/** A stack in one piece, as a runner gives it, without the frames of its program, nor of the SDK where it could not tell them itself. */
export function withoutOwnLines(stack: string): string {
  const lines = stack
    .split('\n')
    .filter((line) => !/^\s*at /.test(line) || (!/\[(?:worker )?eval\]:\d+/.test(line) && !isOwnFrame(line)));
  return lines.join('\n');
}

/**
 * The folders of the SDK's code as stacks name them, built and by source maps. None where a project has bundled the SDK into
 * its own code: then nothing tells one from the other.
 */
function ownFolders(): string[] {
  const file = /\(?((?:file:\/\/)?[^\s()]+):\d+:\d+\)?$/.exec(new Error('here').stack?.split('\n')[1] ?? '')?.[1];
  if (file === undefined) return [];
  let folder = dirname(file.startsWith('file:') ? fileURLToPath(file) : file);
  for (let level = 0; level < mostFolders; level += 1) {
    if (isOurs(folder)) return ['dist', 'sdk', 'proto'].map((name) => `${folder.replaceAll('\\', '/')}/${name}/`);
    folder = dirname(folder);
  }
  return [];
}

function isOurs(folder: string): boolean {
  const json = safely(() => readFileSync(join(folder, 'package.json'), 'utf8'), undefined);
  return json !== undefined && safely(() => Object(JSON.parse(json)).name === packageName, false);
}
