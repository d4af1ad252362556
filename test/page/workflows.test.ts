import { beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../engine/auth/key-ring.ts';
import { Tokens } from '../../engine/auth/tokens.ts';
import { tenantOf } from '../helpers/tenant.ts';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page workflows');

async function viewerToken(): Promise<string> {
  const { database, dataDir, hatchet } = fixture.engine;
  const keys = await KeyRing.open(database.pool, { dataDir });
  return new Tokens(database.pool, keys).create({
    tenantId: tenantOf(hatchet.tenantId),
    name: 'sees',
    role: 'viewer',
    addresses: { serverUrl: fixture.origin, grpcBroadcastAddress: '127.0.0.1:1' },
  });
}

beforeAll(async () => {
  const flows = sampleWorkflows(fixture.engine.hatchet);
  await fixture.engine.serve('page-workflows', { workflows: flows.all, slots: 20 });
});

describe('workflows', () => {
  it('are listed and searched, and show their tasks', async () => {
    const page = await fixture.signedIn('/workflows');
    await page.getByRole('link', { name: 'order', exact: true }).waitFor();
    await page.getByLabel('Search workflows').fill('hello');
    await expect.poll(() => page.getByRole('link', { name: 'order', exact: true }).count()).toBe(0);
    await page.getByLabel('Search workflows').fill('');
    await page.getByRole('link', { name: 'order', exact: true }).click();
    const graph = page.getByRole('group', { name: 'Tasks of the workflow' });
    for (const name of ['check', 'pay', 'pack', 'send']) await graph.getByText(name, { exact: true }).waitFor();
  });

  it('are triggered by a form of their schema, which is checked before anything is sent', async () => {
    const page = await fixture.signedIn('/workflows/greet');
    const form = page.locator('form.trigger-form');
    await form.getByLabel('name', { exact: true }).fill('A');
    await form.getByRole('button', { name: 'Trigger', exact: true }).click();
    await form.getByRole('alert').getByText('name').waitFor();
    await form.getByLabel('name', { exact: true }).fill('Ada');
    await form.getByRole('button', { name: 'Put in times' }).click();
    await form.getByLabel('times', { exact: true }).fill('two');
    await form.getByRole('button', { name: 'Trigger', exact: true }).click();
    await form.getByRole('alert').getByText('times').waitFor();
    await form.getByLabel('times', { exact: true }).fill('2');
    await form.getByLabel('tone', { exact: true }).selectOption('loud');
    await form.getByRole('button', { name: 'Put in tags' }).click();
    await form.getByRole('button', { name: 'Add item' }).click();
    await form.getByLabel('1', { exact: true }).fill('vip');
    await form.getByLabel('null for sender').check();
    await form.getByRole('button', { name: 'JSON' }).click();
    const json: unknown = JSON.parse(await form.getByLabel('Input', { exact: true }).inputValue());
    expect(json).toEqual({ name: 'Ada', times: 2, tone: 'loud', tags: ['vip'], sender: null });
    await form.getByText('Metadata and priority').click();
    await form.getByLabel('Metadata', { exact: true }).fill('{"customer":"7"}');
    await form.getByLabel('Priority').selectOption('3');
    await form.getByRole('button', { name: 'Trigger', exact: true }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Completed').waitFor();
    await page.getByText('customer: 7').waitFor();
    const input = page.getByRole('group', { name: 'the input' });
    await page.getByRole('link', { name: 'Input and output' }).click();
    await input.getByText('"vip"').waitFor();
  });

  it('say what the engine says of an input that it refuses', async () => {
    const page = await fixture.signedIn('/workflows/order', { expected: [/status of 4\d\d/] });
    const form = page.locator('form.trigger-form');
    await form.getByLabel('Input', { exact: true }).fill('{"id": 1');
    await form.getByText('This is not valid JSON').first().waitFor();
    await form.getByLabel('Input', { exact: true }).fill(String.raw`{"id": "\u0000"}`);
    await form.getByRole('button', { name: 'Trigger', exact: true }).click();
    await form.getByRole('alert').waitFor();
  });

  it('are deleted, once that is confirmed', async () => {
    const gone = fixture.engine.hatchet.task({ name: 'gone-soon', fn: () => ({}) });
    await fixture.engine.hatchet.worker('brief', { workflows: [gone], handleKill: false });
    const page = await fixture.signedIn('/workflows/gone-soon');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('gone-soon is deleted.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/workflows');
    await expect(gone.runNoWait({})).rejects.toMatchObject({ code: 'UNKNOWN_WORKFLOW' });
  });

  it('are paused and resumed', async () => {
    const page = await fixture.signedIn('/workflows/order');
    const heading = page.getByRole('heading', { level: 1 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await heading.getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await heading.getByText('Active').waitFor();
  });

  it('are triggered by a key, from anywhere', async () => {
    const page = await fixture.signedIn('/queues');
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor();
    await page.keyboard.press('t');
    const dialog = page.getByRole('dialog', { name: 'Trigger a workflow' });
    await dialog.getByLabel('Workflow').selectOption('order');
    await dialog.getByLabel('Input', { exact: true }).fill('{"id": 9}');
    await dialog.getByRole('button', { name: 'Trigger', exact: true }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Completed').waitFor();
  });

  it('cannot be triggered by a token that only sees', async () => {
    const token = await viewerToken();
    const page = await fixture.signedIn('/workflows/order', { token });
    await expect
      .poll(() => page.locator('form.trigger-form').getByRole('button', { name: 'Trigger', exact: true }).isDisabled())
      .toBe(true);
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
  });
});
