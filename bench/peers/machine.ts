/** Where figures were measured, in a few words. */
import { cpus, totalmem } from 'node:os';

export function machine(): string {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${gib} GiB`;
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
