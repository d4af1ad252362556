import { expect, it } from 'vitest';
import { ResourceEventType } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { engineFixture } from '../helpers/engine-fixture.ts';

const fixture = engineFixture('late-chunks');

it('the stream of a run that has just ended has the chunks that come a moment later', async () => {
  const { hatchet, clients } = fixture;
  const brief = hatchet.task({ name: 'brief', fn: () => ({}) });
  await fixture.serve('brief', { workflows: [brief] });
  const ref = await brief.runNoWait({});
  await ref.output;
  const workflowRunId = await ref.runId;
  const stream = clients.dispatcher.subscribeToWorkflowEvents(
    { workflowRunId, additionalMetaKey: undefined, additionalMetaValue: undefined },
    clients.metadata(),
  );
  const chunks: string[] = [];
  const ended = (async () => {
    for await (const { eventType, eventPayload } of stream)
      if (eventType === ResourceEventType.RESOURCE_EVENT_TYPE_STREAM) chunks.push(String(eventPayload));
  })();
  await clients.call(clients.events, clients.events.putStreamEvent, {
    taskRunExternalId: workflowRunId,
    createdAt: new Date(),
    message: Buffer.from('late'),
    metadata: '',
    eventIndex: 0n,
  });
  await ended;
  expect(chunks).toEqual(['late']);
});
