import { spawn, type ChildProcess } from 'node:child_process';
import { guardianSource } from './guardian-source.ts';

let holders = 0;
let guardian: ChildProcess | undefined;
const pids = new Set<number>();
const folders = new Set<string>();

/** Has a guardian for this process, until all who have asked for it have let go. @returns lets go */
export function holdGuardian(): () => void {
  holders += 1;
  start();
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    holders -= 1;
    if (holders === 0) guardian?.stdin?.end();
    if (holders === 0) guardian = undefined;
  };
}

/** This process must not outlive the worker. */
export function guardProcess(pid: number): void {
  pids.add(pid);
  tell({ add: pid });
}

/** It is gone. */
export function releaseProcess(pid: number): void {
  pids.delete(pid);
  tell({ remove: pid });
}

/** This folder is removed with the worker's end. */
export function guardFolder(folder: string): void {
  folders.add(folder);
  tell({ folder });
}

function start(): void {
  if (guardian !== undefined || holders === 0) return;
  // In a session of its own: what ends the worker's process group must leave it.
  const child = spawn(process.execPath, ['--max-old-space-size=16', '-e', guardianSource], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    windowsHide: true,
  });
  guardian = child;
  const startedAt = performance.now();
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  child.stdin?.on('error', () => undefined);
  child.on('error', () => undefined);
  child.once('exit', () => {
    if (guardian !== child) return;
    guardian = undefined;
    // Somebody has ended it, and another takes its place; one that cannot even start does not.
    if (performance.now() - startedAt > 1_000) start();
  });
  for (const pid of pids) tell({ add: pid });
  for (const folder of folders) tell({ folder });
}

function tell(message: { add: number } | { remove: number } | { folder: string }): void {
  if (guardian?.stdin?.writable === true) guardian.stdin.write(`${JSON.stringify(message)}\n`);
}
