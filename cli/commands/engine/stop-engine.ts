import { setTimeout as delay } from 'node:timers/promises';
import type { CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { outputOf } from '../../command-host.ts';
import { removeStaleRecord, runningEngine } from '../../engine-process/engine-record.ts';
import { isEngineOf } from '../../engine-process/process-identity.ts';
import { ExitCode } from '../../exit-codes.ts';
import { dataFolder } from '../../project/project-root.ts';
import type { EngineFlags } from './engine-folder.ts';

const limitMs = 30_000;
const lookMs = 50;

/** Asks the engine to stop, and returns once its process is gone. */
export async function stopEngine(context: CliContext, flags: EngineFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const engine = runningEngine(dataDir);
  if (engine === undefined) {
    removeStaleRecord(dataDir);
    output.value({ stopped: false, dataDir }, () => `No engine runs on ${dataDir}.`);
    return ExitCode.done;
  }
  process.kill(engine.pid, 'SIGTERM');
  const deadline = performance.now() + limitMs;
  while (isEngineOf(engine.pid, dataDir)) {
    if (performance.now() > deadline)
      throw new CliError(`the engine (pid ${engine.pid}) did not stop within ${limitMs / 1000} s`, {
        remedy: `Read ${dataDir}/engine.log; \`kill -9 ${engine.pid}\` ends it, and the next start recovers.`,
      });
    await delay(lookMs);
  }
  removeStaleRecord(dataDir);
  output.value({ stopped: true, pid: engine.pid, dataDir }, () => `Stopped the engine (pid ${engine.pid}).`);
  return ExitCode.done;
}
