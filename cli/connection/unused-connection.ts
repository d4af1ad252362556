import type { CliContext } from '../cli-context.ts';
import { createOutput } from '../output/create-output.ts';
import { runningEngine } from '../engine-process/engine-record.ts';
import { dataFolder } from '../project/project-root.ts';
import { localProfile, namedProfile, profilesPath, readProfiles } from './profile-store.ts';
import type { ConnectionFlags } from './resolve-connection.ts';

/** What names an engine elsewhere here, for messages. */
function elsewhere({ env }: Pick<CliContext, 'env'>): string | undefined {
  const named = namedProfile(env, {});
  if (named !== undefined) return named.name === localProfile ? undefined : `HATCHET_PROFILE is set to ${named.name}`;
  if ((env['HATCHET_CLIENT_TOKEN'] ?? '') !== '') return 'HATCHET_CLIENT_TOKEN is set';
  const chosen = chosenProfile(env);
  return chosen === undefined ? undefined : `the profile ${chosen} is chosen`;
}

/** A file that cannot be read is told of by the commands that need it. */
function chosenProfile(env: CliContext['env']): string | undefined {
  try {
    return readProfiles(env).chosen;
  } catch {
    return undefined;
  }
}

/** Says that a command works on this machine although something names an engine elsewhere. @param does what it works on */
export function noteUnusedConnection(context: CliContext, does: string): void {
  const named = elsewhere(context);
  if (named !== undefined) createOutput('text', context).note(`${named}, and is not used: this command ${does}.`);
}

/** Says that a profile was chosen where the project has an engine of its own that runs. */
export function noteChosenProfile(context: CliContext, flags: ConnectionFlags): void {
  const { env, cwd } = context;
  if (
    flags.token !== undefined ||
    flags.tokenFile !== undefined ||
    flags.dataDir !== undefined ||
    namedProfile(env, flags) !== undefined ||
    (env['HATCHET_CLIENT_TOKEN'] ?? '') !== ''
  )
    return;
  const chosen = chosenProfile(env);
  if (chosen !== undefined && hasEngine(cwd))
    createOutput('text', context).note(
      `This is the profile ${chosen}, chosen in ${profilesPath(env)}; the engine of this project is --profile ${localProfile}.`,
    );
}

function hasEngine(cwd: string): boolean {
  try {
    return runningEngine(dataFolder(cwd, undefined)) !== undefined;
  } catch {
    return false;
  }
}
