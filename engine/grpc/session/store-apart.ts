import { reports } from '../../edge/access/rule.ts';
import type { CallFacts, Gate } from '../../edge/access/gate.ts';
import type { Caller } from '../../edge/access/caller.ts';
import type { PutStreamEventRequest } from '../../../proto/gen/hatchet/contract/events.ts';
import type { NewLogLine } from '../../../proto/gen/hatchet/monitor/v1/monitor.ts';
import { CommandKind, type ConnectRequest } from '../../../proto/gen/hatchet/session/v1/session.ts';
import type { LogIntake } from '../log-intake.ts';
import type { StreamIntake } from '../stream-intake.ts';
import type { Refuse } from './refusals.ts';

export interface ApartDeps {
  gate: Pick<Gate, 'admit'>;
  logIntake: Pick<LogIntake, 'takeEach'>;
  streamIntake: Pick<StreamIntake, 'take'>;
}

const chunkFacts: CallFacts = { rule: reports, action: '/EventsService/PutStreamEvent', address: () => '' };
const lineFacts: CallFacts = {
  rule: reports,
  action: '/hatchet.monitor.v1.MonitorService/PutLogs',
  address: () => '',
};

/** Stores what does not go by the commit lane: chunks of streams and log lines. Resolves once each is stored or refused. */
export async function storeApart(
  deps: ApartDeps,
  { chunks, lines }: ConnectRequest,
  { caller, refuse }: { caller: Caller; refuse: Refuse },
): Promise<void> {
  await Promise.all([putChunks(deps, chunks, { caller, refuse }), putLines(deps, lines, { caller, refuse })]);
}

async function putChunks(
  { gate, streamIntake }: ApartDeps,
  chunks: readonly PutStreamEventRequest[],
  { caller, refuse }: { caller: Caller; refuse: Refuse },
): Promise<void> {
  if (chunks.length === 0) return;
  const refuseOne = (error: unknown, index: number): void =>
    refuse(error, { kind: CommandKind.COMMAND_KIND_CHUNK, index });
  try {
    gate.admit(caller.identity, chunkFacts);
  } catch (error) {
    for (const index of chunks.keys()) refuseOne(error, index);
    return;
  }
  await Promise.all(
    chunks.map(async (chunk, index) => {
      try {
        await streamIntake.take(caller.tenantId, chunk);
      } catch (error) {
        refuseOne(error, index);
      }
    }),
  );
}

async function putLines(
  { gate, logIntake }: ApartDeps,
  lines: readonly NewLogLine[],
  { caller, refuse }: { caller: Caller; refuse: Refuse },
): Promise<void> {
  if (lines.length === 0) return;
  const refuseOne = (error: unknown, index: number): void =>
    refuse(error, { kind: CommandKind.COMMAND_KIND_LINE, index });
  try {
    gate.admit(caller.identity, lineFacts);
    await logIntake.takeEach(caller.tenantId, lines, refuseOne);
  } catch (error) {
    for (const index of lines.keys()) refuseOne(error, index);
  }
}
