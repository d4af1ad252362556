import { NotOfferedError, type EngineLink } from '../../link/engine-link.ts';
import { refuseInRunner } from '../isolation/in-runner/refuse-in-runner.ts';
import { runnerLevel } from '../isolation/in-runner/runner-port.ts';

/** Asks by the link; by the contract's call where the engine has no sessions, or has none any more. @throws as the two */
export async function linkOrCall<Result>(
  { link }: { readonly link: EngineLink },
  byLink: (link: EngineLink) => Promise<Result>,
  byCall: () => Promise<Result>,
): Promise<Result> {
  if (runnerLevel() !== undefined) await refuseInRunner('the engine');
  if (link.isOffered === false) return await byCall();
  try {
    return await byLink(link);
  } catch (error) {
    if (!(error instanceof NotOfferedError)) throw error;
  }
  return await byCall();
}
