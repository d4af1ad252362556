import { Worker as Thread } from 'node:worker_threads';
import { describeFailure, messageOf } from '../../failure/describe-failure.ts';
import { textFieldOf } from '../../failure/safe-reads.ts';
import type { RunnerEnd, RunnerLink } from './runner-link.ts';
import { runnerSource, type RunnerFacts } from './runner-source.ts';

/** A runner in a thread of this process. */
export function startThread(facts: RunnerFacts, memoryMb: number | undefined): RunnerLink {
  let listener: ((text: string) => void) | undefined;
  let end: RunnerEnd | undefined;
  // Node's own options are inherited, and with them the hooks that load the project's modules.
  const thread = new Thread(runnerSource(facts), {
    eval: true,
    name: 'hatchet-task',
    ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
  });
  thread.on('message', (text: unknown) => {
    if (typeof text === 'string') listener?.(text);
  });
  thread.on('error', (error) => {
    end ??=
      textFieldOf(error, 'code') === 'ERR_WORKER_OUT_OF_MEMORY'
        ? {
            code: 'MEMORY_LIMIT',
            how: memoryMb === undefined ? 'ran out of memory' : `needed more than ${memoryMb} MiB of memory`,
          }
        : { code: 'RUNNER_LOST', how: `ended: ${describeFailure(error).stack ?? messageOf(error)}` };
  });
  const gone = new Promise<RunnerEnd>((resolve) => {
    thread.once('exit', (code) => resolve(end ?? { code: 'RUNNER_LOST', how: `ended with exit code ${code}` }));
  });
  return {
    gone,
    send: (text) => thread.postMessage(text),
    hear: (next) => {
      listener = next;
    },
    setPaused: () => {},
    usage: async () => ({ busyMs: thread.performance.eventLoopUtilization().active, memory: undefined }),
    kill: async (told) => {
      end ??= told;
      await thread.terminate();
      await gone;
    },
  };
}
