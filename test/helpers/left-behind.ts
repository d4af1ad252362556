import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Processes whose command line or working folder is in a folder. Linux only: it reads /proc. */
export function processesIn(folder: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (command.includes(folder)) found.push(`${name} ${command.trim()}`);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Files called postmaster.pid or engine.json anywhere below a folder. */
export function leftFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return execFileSync(
    'find',
    [
      folder,
      '-name',
      'node_modules',
      '-prune',
      '-o',
      '(',
      '-name',
      'postmaster.pid',
      '-o',
      '-name',
      'engine.json',
      ')',
      '-print',
    ],
    { encoding: 'utf8' },
  )
    .split('\n')
    .filter((line) => line !== '');
}

/** Whether something listens on a loopback port. */
export function isListening(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['tcp', 'tcp6'].some((family) => {
    const table = readFileSync(join('/proc/net', family), 'utf8');
    return table.split('\n').some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A `).test(line));
  });
}
