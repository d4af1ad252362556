import { relative, sep } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import picomatch from 'picomatch';
import { ChangeBurst } from './change-burst.ts';
import type { Emit } from '../events.ts';
import type { ProjectWatcher } from '../program/program.ts';

/** Folders that are never walked: what tools put beside the sources, in any language. */
const passed = new Set([
  'node_modules',
  '.git',
  '.hatchet',
  '__pycache__',
  '.venv',
  'venv',
  '.pytest_cache',
  '.mypy_cache',
  '.ruff_cache',
  'target',
  'vendor',
]);

/** Watches a project for the files that `dev.files` of a `hatchet.yaml` names; patterns with `!` leave files out. */
export class GlobWatcher implements ProjectWatcher {
  readonly #watcher: FSWatcher;
  readonly #burst: ChangeBurst;
  readonly #ready: Promise<void>;
  readonly #files = new Set<string>();

  constructor({ project, files, emit }: { project: string; files: readonly string[]; emit: Emit }) {
    const wanted = files.filter((pattern) => !pattern.startsWith('!'));
    const left = files.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
    const matches = picomatch(wanted, { ignore: left });
    this.#burst = new ChangeBurst(emit);
    this.#watcher = watch(project, {
      ignoreInitial: true,
      ignored: (path) =>
        relative(project, path)
          .split(sep)
          .some((part) => passed.has(part)),
    });
    this.#watcher.on('all', (event, path) => {
      if (event === 'addDir' || event === 'unlinkDir') return;
      if (this.#files.has(path) || matches(relative(project, path).replaceAll(sep, '/'))) this.#burst.add(path);
    });
    this.#watcher.on('error', () => undefined);
    this.#ready = new Promise((resolve) => this.#watcher.once('ready', resolve));
  }

  cover(files: readonly string[]): void {
    for (const file of files) this.#files.add(file);
  }

  async whenReady(): Promise<void> {
    await this.#ready;
  }

  async stop(): Promise<void> {
    this.#burst.stop();
    await this.#watcher.close();
  }
}
