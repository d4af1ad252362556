import { parseActionPayload } from '../../context/action-payload.ts';
import { BatchContext } from '../../context/batch-context.ts';
import { Context, replaceInput } from '../../context/context.ts';
import type { ContextHost } from '../../context/context-host.ts';
import { extendInput, extendOutput } from '../../definition/middleware.ts';
import { HatchetError, isError } from '../../errors.ts';
import { isList } from '../../failure/safe-reads.ts';
import type { AssignedAction } from '../../../proto/gen/hatchet/contract/dispatcher.ts';
import { validate } from '../../schema/validate.ts';
import type { BatchAction } from '../action.ts';
import type { BatchMember } from './batch-members.ts';
import type { MemberResult } from './batch-report.ts';
import { toFailure, toResult, type AttemptResult } from '../attempt-result.ts';

interface BatchCall {
  action: AssignedAction;
  members: readonly BatchMember[];
  found: BatchAction;
  abortController: AbortController;
  hostOf(action: AssignedAction): ContextHost;
}

/** Calls a batch task's function once, and tells what became of each member. A member whose input is refused is not in the call. */
export async function runBatch(call: BatchCall): Promise<MemberResult[]> {
  const { action, members, found } = call;
  const inputs: Record<string, unknown> = {};
  const contexts = new Map<string, Context>();
  const refused: MemberResult[] = [];
  for (const member of members) {
    try {
      const payload = parseActionPayload(member.action.actionPayload);
      const input =
        found.inputSchema === undefined
          ? payload.input
          : await validate(found.inputSchema, payload.input, 'INVALID_INPUT', `the input of ${action.taskName}`);
      const ctx = new Context({
        input,
        action: member.action,
        payload,
        abort: call,
        host: call.hostOf(member.action),
      });
      const extended = await extendInput(found.batch.layers, input, ctx);
      replaceInput(ctx, extended);
      inputs[member.id] = extended;
      contexts.set(member.id, ctx);
    } catch (error) {
      refused.push({ id: member.id, result: toFailure(error) });
    }
  }
  const [first] = members;
  if (first === undefined || contexts.size === 0) return refused;
  const ids = [...contexts.keys()];
  try {
    const ctx = new BatchContext({
      inputs,
      action: { ...action, ...first.action, actionPayload: action.actionPayload },
      payload: parseActionPayload(first.action.actionPayload),
      abortController: call.abortController,
      host: call.hostOf(first.action),
      members: contexts,
    });
    const output = await found.batch.body.run(inputs, ctx);
    if (found.batch.config.broadcastOutput !== true) checkIds(action.taskName, ids, output);
    const outputOf = (id: string): unknown =>
      found.batch.config.broadcastOutput === true ? output : Reflect.get(Object(output), id);
    return [
      ...refused,
      ...(await Promise.all(
        [...contexts].map(async ([id, member]) => ({
          id,
          result: await memberResult(call, member, () => outputOf(id)),
        })),
      )),
    ];
  } catch (error) {
    return [...refused, ...ids.map((id) => ({ id, result: toFailure(error) }))];
  }
}

/** @throws HatchetError INVALID_OUTPUT where the ids are not those of the inputs */
function checkIds(taskName: string, ids: readonly string[], output: unknown): void {
  if (typeof output !== 'object' || output === null || isList(output))
    throw new HatchetError('INVALID_OUTPUT', `the batch task ${taskName} gave no outputs by id`, {
      remedy: 'Return an object with an output for each id of the inputs, or set batch.broadcastOutput',
    });
  const given = new Set(Object.keys(output));
  const wanted = new Set(ids);
  const missing = ids.filter((id) => !given.has(id));
  const extra = [...given].filter((id) => !wanted.has(id));
  if (missing.length + extra.length > 0)
    throw new HatchetError(
      'INVALID_OUTPUT',
      `the outputs of the batch task ${taskName} are not those of its inputs (missing: ${missing.join(', ') || 'none'}; unknown: ${extra.join(', ') || 'none'})`,
      { remedy: 'Return an output for each id of the inputs' },
    );
}

/** Of one member alone: whatever its output is, or does when it is read, is no matter of the others. */
async function memberResult({ action, found }: BatchCall, ctx: Context, read: () => unknown): Promise<AttemptResult> {
  try {
    const given = await read();
    if (isError(given)) return toFailure(given);
    const output = await extendOutput(found.batch.layers, given, { ctx, input: ctx.input });
    return toResult(
      action.taskName,
      found.outputSchema === undefined
        ? output
        : await validate(found.outputSchema, output, 'INVALID_OUTPUT', `the output of ${action.taskName}`),
    );
  } catch (error) {
    return toFailure(error);
  }
}
