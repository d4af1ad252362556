import type { Pool } from 'pg';
import type { TenantLimits } from '../auth/tenant-limits.ts';
import type { Commands } from '../edge/parsed-commands.ts';
import { DailyUse } from '../edge/limits/daily-use.ts';
import { knownId } from '../edge/parse/id.ts';
import { quoted } from '../edge/parse/invalid.ts';
import { wholeNumber } from '../edge/parse/number.ts';
import { HatchetError } from '../base/errors.ts';
import { maxPayloadBytes } from '../model/limits.ts';
import { noPayloads, readRunDetail } from '../monitor/runs/run-detail.ts';
import type { NewChunk, StreamWriter } from '../writers/stream-writer.ts';
import type { PutStreamEventRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

interface StreamDeps {
  owner: Commands;
  pool: Pool;
  streams: StreamWriter;
  limits: TenantLimits;
}

/** Postgres's `bigint`, as far as a number holds it exactly. */
const largestIndex = Number.MAX_SAFE_INTEGER;

/** Takes chunks of streams, by calls and by sessions: one count of what a tenant has streamed today. */
export class StreamIntake {
  readonly #deps: StreamDeps;
  readonly #today = new DailyUse('streamBytesPerDay');

  constructor(deps: StreamDeps) {
    this.#deps = deps;
  }

  /** Resolves once it is stored. @throws HatchetError INVALID_ARGUMENT, UNKNOWN_RUN, PAYLOAD_TOO_LARGE, LIMIT_REACHED, BUSY, COMMAND_FAILED */
  async take(tenantId: TenantId, request: PutStreamEventRequest): Promise<void> {
    const { limits, streams } = this.#deps;
    const chunk = await streamChunk(this.#deps, request, tenantId);
    this.#today.take(tenantId, limits.of(tenantId), chunk.chunk.byteLength, Date.now());
    await streams.write(chunk);
  }
}

/** Chunks are sent without waiting, so one may come after its task's end. @throws HatchetError */
async function streamChunk(
  { owner, pool }: StreamDeps,
  request: PutStreamEventRequest,
  tenantId: TenantId,
): Promise<NewChunk> {
  const taskId = knownId(request.taskRunExternalId, 'UNKNOWN_RUN');
  const size = request.message.byteLength;
  if (size > maxPayloadBytes)
    throw new HatchetError('PAYLOAD_TOO_LARGE', `a stream chunk has ${size} bytes; the limit is ${maxPayloadBytes}`, {
      remedy: 'Send smaller chunks.',
    });
  const number =
    request.eventIndex === undefined
      ? Date.now() * 1000
      : wholeNumber(request.eventIndex, 'the index of a stream chunk', { min: 0, max: largestIndex });
  const where = placeInMemory(owner, tenantId, taskId) ?? (await placeInHistory(pool, tenantId, taskId));
  if (where === undefined)
    throw new HatchetError('UNKNOWN_RUN', `there is no task run ${quoted(request.taskRunExternalId)}`, {
      remedy: 'Stream from inside a task.',
    });
  return { tenantId, taskId, ...where, number, chunk: request.message };
}

function placeInMemory(
  owner: Commands,
  tenantId: TenantId,
  taskId: string,
): { runId: string; attempt: number } | undefined {
  const state = owner.stateOf(tenantId);
  const row = state?.tasks.find(taskId);
  if (state === undefined || row === undefined || state.stepOf(row).version.tenantId !== tenantId) return undefined;
  return { runId: state.runIdOf(row), attempt: state.tasks.attempt[row] ?? 0 };
}

async function placeInHistory(
  pool: Pool,
  tenantId: TenantId,
  taskId: string,
): Promise<{ runId: string; attempt: number } | undefined> {
  const run = await readRunDetail(pool, tenantId, taskId, noPayloads);
  const task = run?.tasks.find((each) => each.id === taskId);
  return run === undefined || task === undefined ? undefined : { runId: run.id, attempt: task.attempt };
}
