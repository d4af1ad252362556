import { dirname, join } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { ChangeBurst } from './change-burst.ts';
import type { Emit } from '../events.ts';
import type { ProjectWatcher } from '../program/program.ts';

/** What can change a bundle. A log that is written beside the code must not reload it, and write on about that. */
const sources = /\.(?:[cm]?[jt]sx?|json|txt|sql|graphql)$/;

/**
 * Watches the folders of the files that matter, each without its subfolders: a file that an import misses is found when
 * it is made, and node_modules is never walked.
 */
export class Watcher implements ProjectWatcher {
  readonly #burst: ChangeBurst;
  #watcher: FSWatcher | undefined;
  #ready: Promise<void> = Promise.resolve();
  readonly #folders = new Set<string>();
  readonly #files = new Set<string>();

  constructor(emit: Emit) {
    this.#burst = new ChangeBurst(emit);
  }

  /** Adds the folders of these files, and the files themselves whatever their kind. */
  cover(files: readonly string[]): void {
    for (const file of files) this.#files.add(file);
    const fresh = [...new Set(files.map((file) => dirname(file)))].filter(
      (folder) => !this.#folders.has(folder) && !folder.includes('node_modules'),
    );
    if (fresh.length === 0) return;
    for (const folder of fresh) this.#folders.add(folder);
    if (this.#watcher === undefined) {
      const watcher = watch(fresh, {
        depth: 0,
        ignoreInitial: true,
        ignored: (path) => /[/\\](?:node_modules|\.git|\.hatchet)(?:[/\\]|$)/.test(path),
      });
      watcher.on('all', (_event, path) => this.#note(path));
      watcher.on('error', () => undefined);
      this.#ready = new Promise((resolve) => watcher.once('ready', resolve));
      this.#watcher = watcher;
    } else {
      this.#watcher.add(fresh);
    }
  }

  /** Resolves once changes are seen. */
  async whenReady(): Promise<void> {
    await this.#ready;
  }

  #note(path: string): void {
    if (!sources.test(path) && !this.#files.has(path) && !this.#files.has(join(dirname(path), '*'))) return;
    this.#burst.add(path);
  }

  async stop(): Promise<void> {
    this.#burst.stop();
    await this.#watcher?.close();
  }
}
