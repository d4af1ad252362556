import { replayRuns } from '../../lifecycle/replay-run.ts';
import { hasNoPayloads, startsNoRuns, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Runs that have ended, or tasks of them, run again. */
export interface ReplayCommand {
  kind: 'replay';
  tenantId: TenantId;
  /** Runs or tasks. */
  ids: readonly string[];
}
export interface ReplayReply {
  /** Tasks that run again. */
  replayed: readonly string[];
  /** Ids that another command must ask for: what their runs bring would be too much for one transaction. */
  deferred: readonly string[];
}

export const replay: Kind<ReplayCommand, ReplayReply> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: ({ ids }) => ({ again: ids }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ ids }) => 2 * Math.max(1, ids.length),
  split: undefined,
  plan(plan, command, facts) {
    return { replayed: replayRuns(plan, command, facts.storedRuns), deferred: facts.deferredIds };
  },
};
