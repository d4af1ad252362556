import { pause } from '../../../link/backoff.ts';
import { withoutOwnLines } from '../../failure/own-frames.ts';
import { cut } from '../../failure/safe-reads.ts';
import type { AttemptResult } from '../../worker/attempt-result.ts';
import type { IsolatedStep } from '../definition/isolated-step.ts';
import type { ToldFailure } from '../messages/messages.ts';
import type { RunnerLink } from '../runners/runner-link.ts';

/** Limits are looked at so often. */
const lookEveryMs = 100;

/** Bounds of what a sandbox says of its failure, whatever it runs. */
export const longestMessage = 16 * 1024;
const longestStack = 64 * 1024;

/** Ends the runner once it has used more than it may. */
export async function endBeyondLimits(
  link: RunnerLink,
  step: IsolatedStep,
  { over, beforeMs }: { over: AbortSignal; beforeMs: number },
): Promise<void> {
  const { cpuMs, level } = step;
  const memoryMb = level === 'thread' ? undefined : step.memoryMb;
  if (cpuMs === undefined && memoryMb === undefined) return;
  while (!over.aborted) {
    await pause(lookEveryMs, over);
    if (over.aborted) return;
    const usage = await link.usage();
    if (usage === undefined || over.aborted) continue;
    if (cpuMs !== undefined && usage.busyMs - beforeMs > cpuMs)
      return await link.kill({ code: 'CPU_LIMIT', how: `was ended after ${cpuMs} ms on a processor, its limit` });
    if (memoryMb !== undefined && usage.memory !== undefined && usage.memory > memoryMb * 1024 * 1024)
      return await link.kill({
        code: 'MEMORY_LIMIT',
        how: `was ended, as it needed more than ${memoryMb} MiB of memory`,
      });
  }
}

/** What a runner says that its task gave, where that is not too much. */
export function withinLimits(step: IsolatedStep, result: AttemptResult): AttemptResult {
  if (result.status === 'failed') return { ...result, ...bounded(result) };
  const bytes = Buffer.byteLength(result.json);
  if (bytes <= step.resultBytes) return result;
  return {
    status: 'failed',
    message: `the output of ${step.label} has ${bytes} bytes, and the limit is ${step.resultBytes}`,
    stack: undefined,
    code: 'OUTPUT_LIMIT',
    retry: false,
  };
}

/** What a runner says of a failure, cut: a sandbox's may be of any length. */
export function bounded({ message, stack, code }: ToldFailure): ToldFailure {
  return {
    message: cut(message, longestMessage),
    stack: stack === undefined ? undefined : withoutOwnLines(cut(stack, longestStack)),
    code: code === undefined ? undefined : cut(code, 200),
  };
}
