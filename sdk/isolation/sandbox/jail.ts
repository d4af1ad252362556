import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A command line. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What a sandbox's process may have. */
export interface JailFacts {
  /** Empty: the file system that the process sees is put together there. */
  readonly mountPoint: string;
  /** Files and folders that it sees besides the system's programs and libraries. */
  readonly visible: readonly string[];
  readonly network: boolean;
  readonly memoryMb: number;
  readonly cpuMs: number;
  /** Whether the worker may make namespaces itself, as root. Others make one of users first. */
  readonly isRoot: boolean;
  /** Of the user whom it runs as. @default the worker's, without its privileges */
  readonly uid: number | undefined;
}

/** Where what a program is linked with lies. */
const systemFolders = ['/usr', '/lib', '/lib32', '/lib64', '/libx32', '/bin'];
/** What names and certificates are looked up by. */
const networkFiles = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl', '/etc/pki'];

/** Paths of the programs that make a jail. */
export type JailTools = Readonly<Record<'setpriv' | 'unshare' | 'prlimit' | 'sh', string>>;

/** Besides the memory that a task is given: Node itself, its threads' stacks and its code. */
const nodeMemoryMb = 192;
/** The worker ends it before, and says why. */
const spareCpuSeconds = 2;
const mostFileBytes = 64 * 1024 * 1024;

/**
 * In namespaces of its own: a file system that holds the system's programs and the visible paths only. Arguments: the mount point,
 * the count of paths, the paths, the command.
 */
const script = `
set -e
jail=$1; count=$2; shift 2
mount -t tmpfs -o mode=755,size=1m none "$jail"
show() {
  if [ -L "$1" ]; then mkdir -p "$jail\${1%/*}"; cp -P "$1" "$jail$1"
  elif [ -d "$1" ]; then mkdir -p "$jail$1"; mount --rbind "$1" "$jail$1"
  elif [ -e "$1" ]; then mkdir -p "$jail\${1%/*}"; : > "$jail$1"; mount --bind "$1" "$jail$1"
  fi
}
for path in ${systemFolders.join(' ')}; do show "$path"; done
while [ "$count" -gt 0 ]; do show "$1"; shift; count=$((count - 1)); done
exec chroot "$jail" "$@"
`;

/** util-linux's programs, on Linux: together they have the kernel keep a process in. Elsewhere, what is missing. */
export function findJailTools(path: string | undefined): JailTools | { missing: string } {
  if (process.platform !== 'linux') return { missing: `${process.platform} has no namespaces` };
  const find = (name: string): string | undefined =>
    [...(path ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin', '/sbin']
      .map((folder) => join(folder, name))
      .find(isProgram);
  const [setpriv, unshare, prlimit, sh] = [find('setpriv'), find('unshare'), find('prlimit'), find('sh')];
  if (setpriv === undefined || unshare === undefined || prlimit === undefined || sh === undefined)
    return { missing: 'setpriv, unshare and prlimit of util-linux are not all installed' };
  return { setpriv, unshare, prlimit, sh };
}

/**
 * Runs a command of Node in a jail: it sees no file but those that it is shown, no process but its own and, unless granted, no
 * network; it has no privilege of root and can get none; it dies with this process.
 */
export function jailed(programs: JailTools, facts: JailFacts, command: Command): Command {
  const dies = ['--pdeathsig', 'KILL'];
  const seconds = Math.ceil(facts.cpuMs / 1000) + spareCpuSeconds;
  const visible = [
    ...facts.visible,
    ...(facts.network ? networkFiles.filter((file) => existsSync(file)) : []),
    ...nodeFiles(command.file),
  ];
  const limits = [
    `--cpu=${seconds}:${seconds}`,
    `--data=${(facts.memoryMb + nodeMemoryMb) * 1024 * 1024}`,
    '--core=0',
    `--fsize=${mostFileBytes}`,
    '--nofile=256',
    ...(facts.uid === undefined ? [] : ['--nproc=64']),
  ];
  // Root's sandboxes run as a user whom nobody else is; others' as the worker's user, who is then root in a namespace that gives no privilege.
  const user =
    facts.uid !== undefined ? ['--reuid', String(facts.uid), '--regid', String(facts.uid), '--clear-groups'] : [];
  return {
    file: programs.setpriv,
    args: [
      ...dies,
      '--',
      programs.unshare,
      ...(facts.isRoot ? [] : ['--user', '--map-root-user']),
      ...(facts.network ? [] : ['--net']),
      '--mount',
      '--ipc',
      '--uts',
      '--pid',
      '--fork',
      '--kill-child=KILL',
      '--',
      programs.sh,
      '-c',
      script,
      'sh',
      facts.mountPoint,
      String(visible.length),
      ...visible,
      programs.setpriv,
      ...dies,
      ...user,
      '--no-new-privs',
      '--inh-caps=-all',
      '--bounding-set=-all',
      '--',
      programs.prlimit,
      ...limits,
      '--',
      command.file,
      ...command.args,
    ],
  };
}

/** Node itself, where it is installed elsewhere. */
function nodeFiles(file: string): string[] {
  return systemFolders.some((folder) => file.startsWith(`${folder}/`)) ? [] : [file];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
