import { beforeAll, describe, expect, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';
import { sendSpans } from './helpers/send-spans.ts';

const fixture = pageFixture('page run', { allowSkip: true });
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  flows = sampleWorkflows(fixture.engine.hatchet);
  await fixture.engine.serve('page-run', { workflows: flows.all, slots: 20 });
});

async function finished(name: string): Promise<string> {
  const ref = await flows.greet.runNoWait({ name, tone: 'kind', sender: null, times: 1 });
  await ref.output;
  return await ref.runId;
}

describe('a run', () => {
  it('shows its graph, the chosen task, and where its tasks spent their time', async () => {
    const ref = await flows.order.runNoWait({ id: 5 });
    const page = await fixture.signedIn(`/runs/${await ref.runId}`);
    const graph = page.getByRole('group', { name: 'Tasks of the run' });
    await graph.getByRole('button', { name: /pack completed/ }).click();
    await page.getByRole('region', { name: 'Task pack' }).getByText('parcel').waitFor();
    expect(page.url()).toContain('task=pack');
    await page.getByRole('link', { name: 'Timeline' }).click();
    const bars = page.getByRole('group', { name: 'Attempts over time' });
    for (const name of ['check', 'pay', 'pack', 'send']) await bars.getByRole('rowheader', { name }).waitFor();
    await page.getByRole('link', { name: 'Events' }).first().waitFor();
    await page.getByRole('navigation', { name: 'Views of the run' }).getByRole('link', { name: 'Events' }).click();
    await page.getByText('RUN_FINISHED').waitFor();
  });

  it('shows the spans of its trace, which programs have sent', async () => {
    const runId = await finished('Ada');
    const page = await fixture.signedIn(`/runs/${runId}/trace`);
    await page.getByText('No spans').waitFor();
    await sendSpans(fixture.engine, runId);
    await page.reload();
    const spans = page.getByRole('group', { name: 'Spans of the trace' });
    await spans.getByRole('button', { name: 'charge the card' }).click();
    await spans.getByText('no such card').waitFor();
    await spans.getByText('shop.card').waitFor();
    expect(await spans.getByRole('rowheader').allInnerTexts()).toEqual(['greet', expect.stringContaining('charge')]);
  });

  it('shows its log, by level and by text', async () => {
    const page = await fixture.signedIn(`/runs/${await finished('Grace')}/logs`);
    const log = page.getByRole('log');
    await log.getByText('hello Grace').waitFor();
    await page.getByRole('button', { name: 'WARN' }).click();
    await log.getByText('this is a warning').waitFor();
    expect(await log.getByText('hello Grace').count()).toBe(0);
    await page.getByRole('button', { name: 'WARN' }).click();
    await page.getByLabel('Search in the log').fill('grace');
    await expect.poll(() => log.getByText('this is a warning').count()).toBe(0);
    await log.getByText('hello Grace').waitFor();
  });

  it('shows what went in and came out, and how it differs from another run', async () => {
    const [one, other] = [await finished('Ada'), await finished('Bob')];
    const page = await fixture.signedIn(`/runs/${one}/data`);
    await page.getByRole('group', { name: 'the output' }).getByText('"hello Ada"').waitFor();
    await page.getByLabel('Search in the output').fill('deeper');
    await page.getByText('1 found').waitFor();
    await page.getByLabel('Id of the other run').fill(other);
    await page.getByRole('button', { name: 'Compare' }).click();
    const differences = page.getByRole('list', { name: 'Differences of the input' });
    await differences.getByText('"Bob"').waitFor();
    await differences.getByText('"Ada"').waitFor();
  });

  it('is cancelled, replayed, and triggered again with its input', async () => {
    const ref = await flows.held.runNoWait({ customer: 'x' });
    const page = await fixture.signedIn(`/runs/${await ref.runId}`);
    const heading = page.getByRole('heading', { level: 1 });
    await heading.getByText('Running').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 1 run' }).click();
    await heading.getByText('Cancelled').waitFor();
    await page.keyboard.press('R');
    await page.getByRole('dialog').getByRole('button', { name: 'Replay 1 run' }).click();
    await heading.getByText('Running').waitFor();
    await ref.cancel();
    await heading.getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: /Trigger again/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Trigger held' });
    expect(await dialog.getByLabel('Input', { exact: true }).inputValue()).toContain('"x"');
    await dialog.getByRole('button', { name: 'Trigger', exact: true }).click();
    await expect.poll(() => page.url()).not.toContain(await ref.runId);
    await heading.getByText('Running').waitFor();
    await page.keyboard.press('x');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 1 run' }).click();
    await heading.getByText('Cancelled').waitFor();
  });

  it('says why a task waits', async () => {
    const refs = await flows.held.runNoWait([{ customer: 'y' }, { customer: 'y' }]);
    const second = refs[1];
    if (second === undefined) throw new Error('there is no second run');
    const page = await fixture.signedIn(`/runs/${await second.runId}/why`);
    await page.getByText('It starts once a place is free on its key.').waitFor();
    for (const ref of refs) await ref.cancel();
    await page.getByText('Nothing waits').waitFor();
  });

  it('shows the log of a durable task, skips its sleep and branches it', async () => {
    const ref = await flows.sleeper.runNoWait({ note: 'remember' });
    const page = await fixture.signedIn(`/runs/${await ref.runId}/durable`);
    const log = page.getByRole('list', { name: 'What sleeper asked for' });
    await log.getByText('remember').waitFor();
    await log.getByRole('button', { name: 'Skip the sleep' }).click();
    await expect.poll(async () => await page.getByRole('heading', { level: 1 }).textContent()).toContain('Completed');
    await log.getByRole('button', { name: 'Branch here' }).last().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Start a branch' }).click();
    await log.getByText('branch 2').waitFor();
    await log.getByRole('button', { name: 'Skip the sleep' }).click();
  });

  it('shows markup and control characters of a task as text', async () => {
    const hostile = '<img src=x onerror=alert(1)>\u001b[31m\u202e';
    const page = await fixture.signedIn(`/runs/${await finished(hostile)}/logs`);
    await page.getByRole('log').getByText('hello <img src=x onerror=alert(1)>', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Input and output' }).click();
    await page
      .getByRole('group', { name: 'the input' })
      .getByText(String.raw`\u001b[31m\u202e"`)
      .waitFor();
    expect(await page.locator('img').count()).toBe(0);
  });

  it('that there is not says so', async () => {
    const page = await fixture.signedIn('/runs/01900000-0000-7000-8000-000000000000', { expected: [/status of 404/] });
    await page.getByText('This run cannot be shown').waitFor();
  });
});
