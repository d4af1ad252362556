/**
 * The program of the guardian, a process beside a worker that has runners in processes: when the worker is gone, be it by SIGKILL,
 * it ends them, whatever they do, and removes their folders. The worker's pipe to it closes then. A line each of JSON:
 * {add: pid}, {remove: pid}, {folder: path}.
 */
export const guardianSource = `
'use strict';
const fs = require('node:fs');
const pids = new Set();
const folders = new Set();
let unread = '';
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (unread + chunk).split('\\n');
  unread = lines.pop();
  for (const line of lines) {
    const { add, remove, folder } = JSON.parse(line);
    if (add !== undefined) pids.add(add);
    if (remove !== undefined) pids.delete(remove);
    if (folder !== undefined) folders.add(folder);
  }
});
process.stdin.on('close', () => {
  for (const pid of pids) for (const target of [-pid, pid]) { try { process.kill(target, 'SIGKILL'); } catch {} }
  for (const folder of folders) { try { fs.rmSync(folder, { recursive: true, force: true }); } catch {} }
  process.exit(0);
});
`;
