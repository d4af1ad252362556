import { HatchetError } from './errors.ts';

/** A command waits this long for an owner or for Postgres; official SDKs give up after ~13 s of errors, not of waiting. */
export const longestWaitMs = 30_000;

/** For a call whose shard another engine has: nothing of it was carried out here, and it goes there. */
export function movedAway(): HatchetError {
  return new HatchetError('NOT_OWNER', 'another engine has taken this over', {
    details: { moved: 'true' },
    remedy: 'Call again.',
  });
}

/** For a command that may have been stored before its shard was lost: whoever has the shard now does not know. */
export function maybeStored(what = 'another engine has taken this over'): HatchetError {
  return new HatchetError('NOT_OWNER', `${what}; whether this was stored before that is not known`, {
    details: { maybeStored: 'true' },
    remedy: 'Look whether it is there, then call again.',
  });
}

/** Whether nothing of a call was carried out, because its shard is with another engine. */
export function isMovedAway(error: unknown): boolean {
  return (
    error instanceof HatchetError &&
    error.code === 'NOT_OWNER' &&
    error.details['moved'] !== undefined &&
    error.details['partsStored'] === undefined
  );
}

/** For what has waited for as long as anything waits for an engine. */
export function noOwner(): HatchetError {
  return new HatchetError('NOT_OWNER', `no engine could take this on for ${longestWaitMs / 1000} s`, {
    remedy: 'Check that Postgres is reachable and that one engine is running, then try again.',
  });
}
