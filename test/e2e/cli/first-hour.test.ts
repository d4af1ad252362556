import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, it } from 'vitest';
import { firstHour } from '../../helpers/first-hour/first-hour.ts';
import { Newcomer } from '../../helpers/first-hour/newcomer.ts';
import { linkPackages } from '../../helpers/linked-project.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('first hour');
let newcomer: Newcomer | undefined;
afterEach(async () => await newcomer?.leave());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// All templates, with what they install: `npm run test:first-hour`.
it.each([
  ['dag', 'a failed run is understood, mended and replayed'],
  ['durable', 'a sleep of an hour is skipped'],
])('the template %s in a terminal of 80×24, from the README to Ctrl+C: %s', async (template) => {
  const parent = join(folder, template);
  mkdirSync(parent);
  const own = new Newcomer(parent);
  newcomer = own;
  await firstHour(own, template, () => linkPackages(own.project));
});
