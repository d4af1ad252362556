import { useRef, useState, type ReactNode } from 'react';
import { isOpenSleep, logTree, openNodes, type TreeLine } from '../../../cli/durable/log-tree.ts';
import { branchTitle, nodeResult, nodeTitle, nodeWait } from '../../../cli/durable/node-text.ts';
import { mergeLog, type DurableLogRow, type NodeRow } from '../../../cli/monitor/durable-log-row.ts';
import type { RunDetail, TaskRow } from '../../../cli/monitor/run-reader.ts';
import { plainText } from '../../../cli/output/plain-text.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { runHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { durableLog } from '../../data/run-messages.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useNow } from '../../parts/now.ts';
import { useCalls } from '../../session/session.ts';
import { useChosenTask } from './chosen-task.ts';

/** What durable tasks have asked for, in order, by branch. */
export function DurableTab({ detail, onChanged }: { detail: RunDetail; onChanged: () => void }): ReactNode {
  const { task } = useChosenTask(detail);
  const durable = detail.tasks.filter((each) => each.durable);
  const shown = task?.durable === true ? [task] : durable;
  if (shown.length === 0)
    return (
      <Empty title="No durable task">
        <p>Only durable tasks keep a log of what they ask for.</p>
      </Empty>
    );
  return (
    <div className="stack">
      {shown.map((each) => (
        <DurableLog key={each.taskId} task={each} onChanged={onChanged} />
      ))}
    </div>
  );
}

function DurableLog({ task, onChanged }: { task: TaskRow; onChanged: () => void }): ReactNode {
  const [log, setLog] = useState<DurableLogRow>();
  const whole = useRef<DurableLogRow>(undefined);
  const error = useFollow(`durable ${task.taskId}`, {
    open: async function* (calls, reader) {
      for await (const fields of calls.stream('StreamDurableLog', { taskId: task.taskId }, reader))
        yield durableLog(fields);
    },
    onMessage: (message) => {
      whole.current = mergeLog(whole.current, message);
      setLog(whole.current);
    },
  });
  return (
    <section className="card stack" aria-label={`Log of ${task.name}`}>
      <h2>{task.name}</h2>
      {error === undefined ? null : <Failed error={error} />}
      {log === undefined ? (
        error === undefined ? (
          <Skeleton lines={3} />
        ) : null
      ) : log.nodes.length === 0 ? (
        <Empty title="It has asked for nothing yet" />
      ) : (
        <Tree log={log} task={task} onChanged={onChanged} />
      )}
    </section>
  );
}

function Tree({ log, task, onChanged }: { log: DurableLogRow; task: TaskRow; onChanged: () => void }): ReactNode {
  const open = new Set(openNodes(log));
  return (
    <ol className="durable plain scroll-box" tabIndex={0} aria-label={`What ${log.task} asked for`}>
      {logTree(log).map((line) => (
        <li
          key={line.kind === 'node' ? `n ${line.node.branch} ${line.node.node}` : `b ${line.branch.branch}`}
          className={line.isCurrent ? 'current' : 'past'}
        >
          <span className="rails mono" aria-hidden="true">
            {line.rails}
          </span>
          {line.kind === 'branch' ? (
            <strong>
              {branchTitle(line.branch)}
              {line.isCurrent ? ' (the present one)' : ''}
            </strong>
          ) : (
            <Node line={line} log={log} task={task} isOpen={open.has(line.node)} onChanged={onChanged} />
          )}
        </li>
      ))}
    </ol>
  );
}

function Node({
  line,
  log,
  task,
  isOpen,
  onChanged,
}: {
  line: TreeLine & { kind: 'node' };
  log: DurableLogRow;
  task: TaskRow;
  isOpen: boolean;
  onChanged: () => void;
}): ReactNode {
  const { node } = line;
  const calls = useCalls();
  const isOver = isTerminal(task.status);
  const result = nodeResult(node);
  const request = { taskId: log.taskId, branch: node.branch, node: node.node };
  return (
    <div className="node stack">
      <div className="row wrap spread">
        <span>
          <span className="mono">{plainText(nodeTitle(node))}</span>{' '}
          <span className="muted small">
            {node.satisfiedAt === null && (isOver || !isOpen) ? 'left open' : <Wait node={node} />}
            {node.invocation === null ? '' : ` · invocation ${node.invocation}`}
          </span>
          {node.child?.runId === null || node.child === null ? null : (
            <>
              {' '}
              <Link href={runHref(node.child.runId)}>open its run</Link>
            </>
          )}
        </span>
        <span className="row">
          {log.canSkip && isOpen && !isOver && isOpenSleep(node) ? (
            <ActionButton
              needs="admin"
              className="small"
              onAction={async () => {
                await calls.monitor('SkipSleep', request);
                return 'The sleep is over.';
              }}
            >
              Skip the sleep
            </ActionButton>
          ) : null}
          {line.isCurrent && node.branch > 0 ? (
            <ActionButton
              needs="work"
              className="small"
              question={{
                title: `Start ${log.task} again from node ${node.node}?`,
                text: 'It goes on a branch of its own: what it asked before this node is kept, this and what came after is asked anew.',
                action: 'Start a branch',
              }}
              onAction={async () => {
                const answer = await calls.monitor('BranchTask', request);
                onChanged();
                return `It runs on branch ${String(answer['branch'])}.`;
              }}
            >
              Branch here
            </ActionButton>
          ) : null}
        </span>
      </div>
      {result === '' ? null : <div className="mono small node-result">{plainText(result)}</div>}
    </div>
  );
}

function Wait({ node }: { node: NodeRow }): ReactNode {
  const nowMs = useNow();
  return <>{nodeWait(node, nowMs)}</>;
}
