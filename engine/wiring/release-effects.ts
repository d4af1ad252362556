import type { Sending } from '../dispatch/worker-message.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { DurableLinks } from '../dispatch/durable-links.ts';
import type { Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import type { LogWriter } from '../writers/log-writer.ts';
import type { RunEndWaiters } from '../monitor/runs/run-end-waiters.ts';
import type { DurableAskReply } from '../model/durable/durable-operation.ts';
import type { Effect } from '../model/task/effect.ts';
import { logAndGoOnEach } from '../base/log-and-go-on.ts';

/** Where lines of tasks' logs are written. */
export type LogLines = Pick<LogWriter, 'write'>;

/** What a committed transaction causes, in the order in which the planner decided it. One that throws does not stop the others. */
export function releaseEffects(
  effects: readonly Effect[],
  parts: {
    dispatcher: Dispatcher;
    links: DurableLinks<DurableAskReply>;
    results: Pick<RunEndWaiters, 'ended'>;
    logs: LogLines;
    log: Logger;
    host: Host;
  },
): void {
  const { dispatcher, links, results, logs, log, host } = parts;
  let sendings: Sending[] = [];
  const flush = (): void => {
    if (sendings.length === 0) return;
    dispatcher.send(sendings);
    sendings = [];
  };
  logAndGoOnEach(log, effects, (effect) => {
    switch (effect.kind) {
      case 'dispatch':
        sendings.push({ assignments: [effect], batch: null });
        break;
      case 'dispatchBatch':
        sendings.push({
          assignments: effect.members,
          batch: { id: effect.batchId, key: effect.key, reason: effect.reason, atUs: effect.atUs },
        });
        break;
      case 'tellCancel': {
        flush(); // the cancel of an attempt never overtakes its start
        const { workerId, kind: _, ...notice } = effect;
        dispatcher.cancel(workerId, { kind: 'cancel', ...notice });
        break;
      }
      case 'runCreated':
        dispatcher.payloads.putRun(effect.runId, effect);
        break;
      case 'taskEnded':
        if (effect.output !== null) dispatcher.payloads.putOutput(effect.taskId, effect.output);
        break;
      case 'runEnded':
        dispatcher.payloads.forgetRun(effect.runId);
        results.ended(
          effect.tenantId,
          effect.runId,
          effect.single === null ? null : { taskId: effect.runId, ...effect.single },
        );
        break;
      case 'workerRegistered':
        dispatcher.addWorker(effect.tenantId, effect.workerId);
        break;
      case 'durableAnswer':
        links.answer(effect.workerId, effect.stream, effect.request, effect.reply);
        break;
      case 'durableResult': {
        const { workerId, kind: _, ...result } = effect;
        links.send(workerId, { kind: 'result', ...result });
        break;
      }
      case 'durableDismissed': {
        const { workerId, kind: _, ...dismissal } = effect;
        links.send(workerId, { kind: 'dismissed', ...dismissal });
        break;
      }
      case 'durableSignal':
        links.signal(effect.taskId, effect.key, effect.payload);
        break;
      case 'durableTrouble': {
        const { kind: _, ...line } = effect;
        logs
          .write({ ...line, atMs: host.wallMs(), level: 2, metadata: '{}' })
          .catch((error: unknown) => log.warn({ err: error, taskId: effect.taskId }, effect.message));
        break;
      }
      case 'workerEnded':
        dispatcher.endWorker(effect.workerId);
        break;
    }
  });
  flush();
}
