import type { TenantLimits } from '../auth/tenant-limits.ts';
import type { DailyUse } from '../edge/limits/daily-use.ts';
import { id } from '../edge/parse/id.ts';
import { invalid } from '../edge/parse/invalid.ts';
import { atMost } from '../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../edge/parse/number.ts';
import { shownText } from '../edge/parse/text.ts';
import { moment } from '../edge/parse/time.ts';
import { maxLogChars, maxLogMetadataChars } from '../model/limits.ts';
import { checkDepth } from '../model/payload/check-payload.ts';
import { logLevels } from '../monitor/lines/log-reads.ts';
import type { LogWriter, NewLogLine } from '../writers/log-writer.ts';
import type { PutLogRequest } from '../../proto/gen/hatchet/contract/events.ts';
import type { TenantId } from '../model/ids/tenant-id.ts';

/** Log lines a call, or a frame. */
const mostLines = 1000;

/** Takes log lines, one at a time as the contract has it, or many: one count of what a tenant has logged today. */
export class LogIntake {
  readonly #writer: LogWriter;
  readonly #limits: TenantLimits;
  readonly #today: DailyUse;

  /** @param today what tenants have logged today, by whatever way */
  constructor(writer: LogWriter, limits: TenantLimits, today: DailyUse) {
    this.#writer = writer;
    this.#limits = limits;
    this.#today = today;
  }

  /** Resolves once all are stored; refuses all of them for one. @throws HatchetError INVALID_ARGUMENT, LIMIT_REACHED, BUSY, COMMAND_FAILED */
  async take(tenantId: TenantId, requests: readonly PutLogRequest[]): Promise<void> {
    const lines = atMost(requests, 'the log lines', mostLines).map((request) => logLine(request, tenantId));
    this.#count(tenantId, lines);
    await this.#writer.writeAll(lines);
  }

  /** Resolves once each is stored or refused. What the tenant may not log today any more is refused together. */
  async takeEach(
    tenantId: TenantId,
    requests: readonly PutLogRequest[],
    refuse: (error: unknown, index: number) => void,
  ): Promise<void> {
    const lines: NewLogLine[] = [];
    const indices: number[] = [];
    const all = atMost(requests, 'the log lines', mostLines);
    for (const [index, request] of all.entries()) {
      try {
        lines.push(logLine(request, tenantId));
        indices.push(index);
      } catch (error) {
        refuse(error, index);
      }
    }
    try {
      this.#count(tenantId, lines);
      const failed = await this.#writer.writeEach(lines);
      for (const [place, index] of indices.entries()) {
        const error = failed.get(place);
        if (error !== undefined) refuse(error, index);
      }
    } catch (error) {
      for (const index of indices) refuse(error, index);
    }
  }

  /** @throws HatchetError LIMIT_REACHED */
  #count(tenantId: TenantId, lines: readonly NewLogLine[]): void {
    const chars = lines.reduce((sum, { message, metadata }) => sum + message.length + metadata.length, 0);
    this.#today.take(tenantId, this.#limits.of(tenantId), chars, Date.now());
  }
}

/** @throws HatchetError INVALID_ARGUMENT */
function logLine(request: PutLogRequest, tenantId: TenantId): NewLogLine {
  const taskId = id(request.taskRunExternalId, "the task run's id");
  const message = shownText(request.message, maxLogChars + 1);
  if (message === '' || message.length > maxLogChars)
    throw invalid(`a log line of ${request.message.length} characters`, `Send 1 to ${maxLogChars} characters.`);
  const metadata = shownText(request.metadata, maxLogMetadataChars + 1);
  if (metadata.length > maxLogMetadataChars)
    throw invalid(
      `the metadata of a log line has ${request.metadata.length} characters`,
      `Send up to ${maxLogMetadataChars}.`,
    );
  checkDepth(metadata, 'the metadata of a log line');
  const level = logLevels.findIndex((name) => name === request.level?.toUpperCase());
  return {
    tenantId,
    taskId,
    atMs: request.createdAt === undefined ? Date.now() : moment(request.createdAt, 'the time of a log line'),
    attempt: wholeNumber(request.taskRetryCount ?? 0, 'the retry count', { min: 0, max: largestInteger }),
    level: level < 0 ? 1 : level,
    message,
    metadata: metadata === '' ? '{}' : metadata,
  };
}
