import { HatchetError } from '../../errors.ts';
import { heldInRunner, runnerLevel } from './runner-port.ts';

/**
 * Before each call of the engine. The top level of a program makes its calls in the worker, and not once more in each runner; and a
 * sandbox has no way to the engine but its context.
 * @throws HatchetError NOT_GRANTED in a sandbox
 */
export async function refuseInRunner(what: string): Promise<void> {
  await heldInRunner(`a call of ${what}`);
  if (runnerLevel() === 'sandbox')
    throw new HatchetError('NOT_GRANTED', `a task in a sandbox does not reach ${what}`, {
      remedy: 'Use its context: ctx.log, ctx.putStream, ctx.runChild',
    });
}
