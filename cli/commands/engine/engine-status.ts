import type { CliContext } from '../../cli-context.ts';
import { outputOf } from '../../command-host.ts';
import { runningEngine, withoutSecrets } from '../../engine-process/engine-record.ts';
import { ExitCode } from '../../exit-codes.ts';
import { dataFolder } from '../../project/project-root.ts';
import { describeEngine, type EngineFlags } from './engine-folder.ts';

export function engineStatus(context: CliContext, flags: EngineFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const record = runningEngine(dataDir);
  if (record === undefined) {
    output.value({ running: false, dataDir }, () => `No engine runs on ${dataDir}.`);
    return Promise.resolve(ExitCode.noEngine);
  }
  const shown = withoutSecrets(record);
  output.value({ running: true, ...shown }, () => describeEngine(shown));
  return Promise.resolve(ExitCode.done);
}
