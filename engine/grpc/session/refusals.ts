import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { CommandKind, Refusal } from '../../../proto/gen/hatchet/session/v1/session.ts';
import { toServiceError } from '../service-error.ts';

/** Which of a frame's commands. */
export interface Place {
  readonly kind: CommandKind;
  readonly index: number;
}

export type Refuse = (error: unknown, place: Place) => void;

/** Whether one of several commands that were refused together may be the only one at fault. */
export function isOfOne(error: unknown): boolean {
  return error instanceof HatchetError && (error.code === 'COMMAND_FAILED' || error.code === 'PAYLOAD_TOO_LARGE');
}

const noBytes = Buffer.alloc(0);

/** What the contract's call would have answered. */
export function refusalOf(error: unknown, { kind, index }: Place, log: Logger): Omit<Refusal, 'frame'> {
  const { code, details, metadata } = toServiceError(error, log);
  const [statusDetails] = metadata.get('grpc-status-details-bin');
  return {
    kind,
    index,
    status: code,
    details,
    errorCode: String(metadata.get('hatchet-error-code')[0] ?? ''),
    statusDetails: Buffer.isBuffer(statusDetails) ? statusDetails : noBytes,
  };
}
