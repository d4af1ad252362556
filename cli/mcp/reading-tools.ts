import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { wrongUse } from '../cli-error.ts';
import { runValue } from '../monitor/run-value.ts';
import { parseRunQuery, queryFilter } from '../monitor/run-query.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { answerWith } from './tool-answer.ts';

const annotations = { readOnlyHint: true, openWorldHint: false };

const maxChars = z
  .number()
  .int()
  .min(100)
  .max(1_000_000)
  .default(4_000)
  .describe('characters of one value (an input, an output, an error) before it is cut');
const runId = z.string().describe('id of the run');
const runOrTaskId = z.string().describe('id of the run, or of one of its tasks');
const page = z.string().optional().describe('"next" of the page before');

/** What an agent can look at: all that a person sees with `hatchet runs`, `workflows`, `workers`, `queues` and `schedules`. */
export function addReadingTools(server: McpServer, reader: RunReader): void {
  server.registerTool(
    'list_runs',
    {
      title: 'List runs',
      description:
        'Runs, newest first. The query has words: status:failed,running workflow:name since:1h until:2026-01-31 key:value (of the metadata), and text that is part of a run id or a workflow name.',
      inputSchema: z.object({
        query: z.string().default('').describe('for instance: status:failed workflow:order since:1h'),
        limit: z.number().int().min(1).max(200).default(20),
        page,
        max_chars: maxChars,
      }),
      annotations,
    },
    ({ query, limit, page: after, max_chars: most }) =>
      answerWith(async () => {
        const parsed = parseRunQuery(query);
        if (parsed.problem !== undefined)
          throw wrongUse(
            parsed.problem,
            'Words are status:, workflow:, since:, until:, key:value for metadata, and text.',
          );
        return reader.listRuns({ ...queryFilter(parsed), limit, ...(after === undefined ? {} : { page: after }) });
      }, most),
  );
  server.registerTool(
    'get_run',
    {
      title: 'Get a run',
      description:
        'One run: its status, input, output and metadata, and each of its tasks with status, attempt, worker, times, output and error.',
      inputSchema: z.object({ run_id: runOrTaskId, max_chars: maxChars }),
      annotations,
    },
    ({ run_id: id, max_chars: most }) => answerWith(async () => runValue(await reader.getRun(id)), most),
  );
  server.registerTool(
    'why_run',
    {
      title: 'Why does a run wait?',
      description:
        'What each unfinished task of a run waits for (a worker, a slot, a concurrency key, a rate limit, a retry, an event, a sleep) and what would end that.',
      inputSchema: z.object({ run_id: runId, max_chars: maxChars }),
      annotations,
    },
    ({ run_id: id, max_chars: most }) =>
      answerWith(async () => {
        const { run, tasks } = await reader.whyRun(id);
        return {
          runId: run.runId,
          workflow: run.workflow,
          status: run.status,
          waiting: tasks
            .filter(({ cause }) => cause !== null)
            .map(({ taskId, name, status, cause }) => ({ taskId, name, status, cause })),
        };
      }, most),
  );
  server.registerTool(
    'run_events',
    {
      title: 'Timeline of a run',
      description: 'Every transition of a run, oldest first, with attempt, worker and message.',
      inputSchema: z.object({
        run_id: runOrTaskId,
        limit: z.number().int().min(1).max(1_000).default(200),
        page,
        max_chars: maxChars,
      }),
      annotations,
    },
    ({ run_id: id, limit, page: after, max_chars: most }) =>
      answerWith(() => reader.listEvents(id, { limit, ...(after === undefined ? {} : { after }) }), most),
  );
  server.registerTool(
    'run_logs',
    {
      title: 'Logs of a run',
      description: 'The last lines that the tasks of a run have logged, in the order in which they came.',
      inputSchema: z.object({
        run_id: runOrTaskId,
        lines: z.number().int().min(1).max(2_000).default(200),
        levels: z.array(z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR'])).optional(),
        search: z.string().optional().describe('only lines with this text'),
        max_chars: maxChars,
      }),
      annotations,
    },
    ({ run_id: id, lines, levels, search, max_chars: most }) =>
      answerWith(
        async () => ({
          lines: await reader.listLogs(id, {
            limit: lines,
            newest: true,
            ...(levels === undefined ? {} : { levels }),
            ...(search === undefined ? {} : { search }),
          }),
        }),
        most,
      ),
  );
  server.registerTool(
    'get_durable_log',
    {
      title: 'Log of a durable task',
      description: 'What a durable task has asked for and what it was given: its memos, sleeps, waits and children.',
      inputSchema: z.object({ run_id: runOrTaskId, max_chars: maxChars }),
      annotations,
    },
    ({ run_id: id, max_chars: most }) => answerWith(() => reader.getDurableLog(id), most),
  );
  server.registerTool(
    'list_workflows',
    { title: 'List workflows', description: 'The workflows that workers have registered.', annotations },
    () => answerWith(async () => ({ workflows: await reader.listWorkflows() }), 4_000),
  );
  server.registerTool(
    'get_workflow',
    {
      title: 'Get a workflow',
      description: 'One workflow: its tasks with retries and time-outs, and the JSON Schema of its input.',
      inputSchema: z.object({ name: z.string(), max_chars: maxChars }),
      annotations,
    },
    ({ name, max_chars: most }) => answerWith(() => reader.getWorkflow(name), most),
  );
  server.registerTool(
    'list_workers',
    {
      title: 'List workers',
      description: 'Workers with their slots, actions, status and last heartbeat.',
      inputSchema: z.object({ all: z.boolean().default(false).describe('those that are gone too') }),
      annotations,
    },
    ({ all }) => answerWith(async () => ({ workers: await reader.listWorkers({ all }) }), 4_000),
  );
  server.registerTool(
    'list_queues',
    {
      title: 'List queues',
      description: 'What waits and what for: queues, concurrency keys and rate limits, the worst of each first.',
      annotations,
    },
    () => answerWith(() => reader.listQueues(), 4_000),
  );
  server.registerTool(
    'list_schedules',
    { title: 'List schedules', description: 'Crons and scheduled runs, with their next times.', annotations },
    () => answerWith(() => reader.listSchedules(), 4_000),
  );
}
