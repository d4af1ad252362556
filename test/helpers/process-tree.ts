import { readdirSync, readFileSync } from 'node:fs';

/** Of a process in /proc: its parent and its state; `undefined` where it is gone. Linux only. */
function statOf(pid: number): { parent: number; state: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Ids of the processes below one. */
export function descendants(pid: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const children = all.filter((other) => statOf(other)?.parent === pid);
  return [...children, ...children.flatMap(descendants)];
}

/** Those that run. One that has ended may wait for somebody to ask how. */
export function running(pids: readonly number[]): number[] {
  return pids.filter((pid) => !['Z', 'X', undefined].includes(statOf(pid)?.state));
}
