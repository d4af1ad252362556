import { spawnSync } from 'node:child_process';
import { findJailTools } from '../../sdk/isolation/sandbox/jail.ts';

const tools = findJailTools(process.env['PATH']);

/** Whose programs bound the memory of processes, and make sandboxes. */
export const hasUtilLinux = !('missing' in tools);

/** A container without the right to make namespaces has no kernel to keep a sandbox in: there the weaker one is what can be tested. */
export const kernelKeepsSandboxes =
  !('missing' in tools) &&
  spawnSync(tools.unshare, ['--net', '--mount', '--ipc', '--uts', '--pid', '--fork', '--', tools.sh, '-c', 'true'])
    .status === 0;
