import { beforeAll, describe, it } from 'vitest';
import { pageFixture } from './helpers/page-fixture.ts';
import { sampleWorkflows } from './helpers/sample-workflows.ts';

const fixture = pageFixture('page dead letters');
let flows: ReturnType<typeof sampleWorkflows>;

beforeAll(async () => {
  flows = sampleWorkflows(fixture.engine.hatchet);
  await fixture.engine.serve('page-letters', { workflows: flows.all, slots: 20 });
  for (const order of [1, 22, 333]) await flows.broken.run({ order }).catch(() => undefined);
});

describe('dead letters', () => {
  it('are grouped by what their errors say, and triggered anew with another input', async () => {
    const page = await fixture.signedIn('/dead-letters');
    await page.getByRole('button', { name: /^3 broken order <n> cannot be paid/ }).click();
    const letters = page.getByRole('list', { name: 'Runs with this error of broken' });
    await letters.getByText('order 22 cannot be paid').waitFor();
    await letters.getByRole('button', { name: 'Edit input and trigger…' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Trigger broken' });
    await dialog.getByLabel('Input', { exact: true }).fill('{"order": 4444}');
    await dialog.getByRole('button', { name: 'Trigger', exact: true }).click();
    await page.getByText('order 4444 cannot be paid').first().waitFor();
  });

  it('are replayed, one or all', async () => {
    const page = await fixture.signedIn('/dead-letters');
    await page.getByRole('button', { name: /Replay all of broken/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: /^Replay \d runs$/ }).click();
    await page.getByText(/Running \d runs again/).waitFor();
  });
});

describe('the audit log', () => {
  it('shows what was changed, and by whom', async () => {
    const page = await fixture.signedIn('/audit');
    const log = page.getByRole('group', { name: 'Audit log' });
    await log
      .getByText(/tasks\/replay|workflow-runs\/trigger|PutWorkflow/)
      .first()
      .waitFor();
    await page.getByLabel(/Search actions/).fill('nothing like this');
    await page.getByText('No line fits').waitFor();
  });
});
