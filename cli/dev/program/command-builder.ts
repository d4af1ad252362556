import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { Emit } from '../events.ts';
import type { YamlConfig } from './load-yaml.ts';
import type { Builder } from './program.ts';

export interface CommandBuilderOptions {
  project: string;
  yaml: YamlConfig;
  env: Readonly<Record<string, string | undefined>>;
  emit: Emit;
}

const keptLines = 10;

/**
 * The builder of a `hatchet.yaml`: its preCmds, one after the other, until all have succeeded once. After that a change of
 * the files is a new build at once; there is nothing to compile.
 */
export class CommandBuilder implements Builder {
  readonly #options: CommandBuilderOptions;
  readonly #stop = new AbortController();
  #building: Promise<void> | undefined;
  #prepared = false;
  #builds = 0;
  readonly #changed = new Set<string>();

  constructor(options: CommandBuilderOptions) {
    this.#options = options;
  }

  /** A request while preCmds run is met by their end. */
  build(changed: readonly string[] = []): void {
    for (const file of changed) this.#changed.add(file);
    this.#building ??= this.#run().finally(() => {
      this.#building = undefined;
    });
  }

  /** `dev.files` says what counts. */
  include(): void {}

  async #run(): Promise<void> {
    const { emit, yaml } = this.#options;
    emit({ type: 'build-started' });
    const startedAtMs = performance.now();
    for (const command of this.#prepared ? [] : yaml.preCmds) {
      const failure = await this.#prepare(command);
      if (this.#stop.signal.aborted) return;
      if (failure === undefined) continue;
      emit({
        type: 'build-failed',
        problems: [{ file: yaml.file, line: 1, column: 1, message: failure }],
        inputs: [],
        isFirst: true,
      });
      return;
    }
    this.#prepared = true;
    const changedFiles = [...this.#changed];
    this.#changed.clear();
    // The name only tells one build from the next.
    emit({
      type: 'build-done',
      manifest: `${yaml.file} ${++this.#builds}`,
      changed: true,
      changedFiles,
      inputs: [],
      ms: Math.round(performance.now() - startedAtMs),
    });
  }

  /** @returns why it failed */
  async #prepare(command: string): Promise<string | undefined> {
    const { project, env, emit } = this.#options;
    const lines: string[] = [];
    const child = execa(command, {
      shell: true,
      cwd: project,
      env,
      extendEnv: false,
      all: true,
      buffer: false,
      stdin: 'ignore',
      reject: false,
      cancelSignal: this.#stop.signal,
      forceKillAfterDelay: 2000,
      windowsHide: true,
    });
    const read = createInterface({ input: child.all }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      emit({ type: 'worker-line', generation: 0, line });
    });
    const { failed, shortMessage } = await child;
    read.close();
    return failed ? [`dev.preCmds: ${shortMessage}`, ...lines].join('\n') : undefined;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#building;
  }
}
