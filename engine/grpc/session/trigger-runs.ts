import type { Caller } from '../../edge/access/caller.ts';
import type { CallFacts, Gate } from '../../edge/access/gate.ts';
import { starts } from '../../edge/access/rule.ts';
import type { Commands } from '../../edge/parsed-commands.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import type { Checked } from '../../model/checked.ts';
import { idTimeMs, isRecentUuid7, parseUuid } from '../../model/ids/uuid.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import { prepareRun } from '../../shard/prepare/prepare-run.ts';
import type { Trigger } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { refuseCollisions } from '../collision.ts';
import { triggerRequest } from '../requests/trigger-request.ts';
import { idWindowMs } from '../runs/run-ids-header.ts';
import { isOfOne } from './refusals.ts';

export interface TriggerDeps {
  gate: Pick<Gate, 'admit' | 'note'>;
  owner: Commands;
}

export interface TriggerPorts {
  readonly caller: Caller;
  readonly address: () => string;
  /** The programs' calls have passed a gate already, and are in the audit log. */
  readonly isRelay: boolean;
  /** The run's end is to be told. */
  readonly await: (runId: string) => void;
  readonly refuse: (error: unknown, index: number) => void;
  /** The run has another id than the program gave. */
  readonly other: (index: number, runId: string) => void;
}

interface PreparedTrigger {
  readonly index: number;
  readonly trigger: Trigger;
  readonly run: Checked<TriggerRun>;
}

const triggerFacts = { rule: starts, action: '/WorkflowService/BulkTriggerWorkflow' };

/** A frame's triggers, as one command. Resolves once each is stored or refused. */
export async function triggerRuns(
  { owner, gate }: TriggerDeps,
  triggers: readonly Trigger[],
  ports: TriggerPorts,
): Promise<void> {
  const facts: CallFacts = { ...triggerFacts, address: ports.address };
  let { caller } = ports;
  try {
    if (!ports.isRelay) caller = gate.admit(caller.identity, facts);
  } catch (error) {
    for (const index of triggers.keys()) ports.refuse(error, index);
    return;
  }
  const good: PreparedTrigger[] = [];
  await owner.turns.each(caller.tenantId, triggers, (trigger, index) => {
    try {
      const run = prepare(owner, caller, trigger);
      if (!(run instanceof Promise)) return void good.push({ index, trigger, run });
      return run.then(
        (prepared) => void good.push({ index, trigger, run: prepared }),
        (error: unknown) => ports.refuse(error, index),
      );
    } catch (error) {
      return ports.refuse(error, index);
    }
  });
  caller.note(...good.map(({ run }) => run.runId));
  await start(owner, caller, good, ports);
  if (!ports.isRelay) void gate.note(caller, facts);
}

/** @throws HatchetError as prepareRun, and INVALID_ARGUMENT for an id that is no fresh UUIDv7 */
function prepare(
  owner: Commands,
  { tenantId }: Caller,
  { request, runId, again }: Trigger,
): Checked<TriggerRun> | Promise<Checked<TriggerRun>> {
  if (request === undefined) throw invalid('a trigger names no workflow', 'Send the request with it.');
  const given = parseUuid(runId);
  if (given === undefined || !isRecentUuid7(given, idTimeMs(), idWindowMs))
    throw invalid(`the id of a run is ${JSON.stringify(runId)}`, 'Make a fresh UUIDv7 when the run is triggered.');
  return prepareRun(owner, tenantId, triggerRequest(request, { runId: given, isNew: !again }));
}

/** Together; where something of all of them cannot be stored, each by itself. */
async function start(
  owner: Commands,
  caller: Caller,
  all: readonly PreparedTrigger[],
  ports: TriggerPorts,
): Promise<void> {
  if (all.length === 0) return;
  try {
    const { runIds, collisions } = await owner.submit({
      kind: 'trigger',
      tenantId: caller.tenantId,
      runs: all.map(({ run }) => run),
    });
    const collided = new Map(collisions.map((collision) => [collision.collidingRunId, collision]));
    const made = runIds.values();
    for (const { index, trigger, run } of all) {
      const collision = collided.get(run.runId);
      if (collision !== undefined) {
        tryRefuse(
          () => refuseCollisions([collision], [], false),
          (error) => ports.refuse(error, index),
        );
        continue;
      }
      const runId = made.next().value ?? run.runId;
      if (runId !== trigger.runId) ports.other(index, runId);
      if (trigger.await) ports.await(runId);
    }
  } catch (error) {
    if (all.length > 1 && isOfOne(error))
      await Promise.all(all.map(async (each) => start(owner, caller, [each], ports)));
    else for (const { index } of all) ports.refuse(error, index);
  }
}

function tryRefuse(refuse: () => void, refused: (error: unknown) => void): void {
  try {
    refuse();
  } catch (error) {
    refused(error);
  }
}
