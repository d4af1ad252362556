import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { bulkDeed, type BulkDeed } from '../admin/bulk-deed.ts';
import { checkAgainstSchema, checkPayload } from '../input/check-input.ts';
import { knownWorkflow, nameInNamespace } from '../monitor/known-workflow.ts';
import type { McpParts } from './mcp-parts.ts';
import { answerWith } from './tool-answer.ts';

const mostChars = 4_000;
/** Agents name runs one by one; a selection is for people, who are asked before. */
const mostIds = 100;

const ids = z.array(z.string()).min(1).max(mostIds).describe('ids of runs');

/** What an agent can do where that is allowed. A repeated trigger makes another run; the others change nothing twice. */
export function addChangingTools(
  server: McpServer,
  { connection, reader, admin, interrupted }: McpParts & { admin: NonNullable<McpParts['admin']> },
): void {
  server.registerTool(
    'trigger_workflow',
    {
      title: 'Trigger a workflow',
      description: 'Starts a run of a workflow, and answers with its id. The input is checked against its schema.',
      inputSchema: z.object({
        workflow: z.string(),
        input: z.record(z.string(), z.unknown()).default({}).describe('the input, a JSON object'),
        metadata: z.record(z.string(), z.string()).default({}),
        priority: z.number().int().min(1).max(3).optional().describe('3 is the highest'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    },
    ({ workflow: name, input, metadata, priority }) =>
      answerWith(async () => {
        const workflow = nameInNamespace(connection, name);
        const text = JSON.stringify(input);
        const value = checkPayload(text, 'the input');
        checkPayload(JSON.stringify(metadata), 'the metadata');
        const { inputJsonSchema: schema } = await knownWorkflow(reader, workflow);
        checkAgainstSchema(value, { workflow, schema });
        return { runId: await admin.trigger({ workflow, input: text, metadata, priority }) };
      }, mostChars),
  );
  const deed = async (what: BulkDeed, runIds: readonly string[]): Promise<object> => {
    // With an unknown one among them nothing is done.
    const runs = (await Promise.all([...new Set(runIds)].map((id) => reader.getRun(id)))).map(({ run }) => run);
    const outcome = await bulkDeed(what, runs, { admin, reader, signal: interrupted, onProgress: () => undefined });
    if (outcome.error !== undefined) throw outcome.error;
    return { done: outcome.done, refused: Object.fromEntries(outcome.refused) };
  };
  server.registerTool(
    'replay_runs',
    {
      title: 'Replay runs',
      description: 'Runs that have ended run again from their beginning, with their old inputs.',
      inputSchema: z.object({ run_ids: ids }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    },
    ({ run_ids: runIds }) => answerWith(() => deed('replay', runIds), mostChars),
  );
  server.registerTool(
    'cancel_runs',
    {
      title: 'Cancel runs',
      description: 'Cancels runs that have not ended. Those that have stay as they are.',
      inputSchema: z.object({ run_ids: ids }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ run_ids: runIds }) => answerWith(() => deed('cancel', runIds), mostChars),
  );
}
