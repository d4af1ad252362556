import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { templateNames } from '../../../cli/scaffold/find-template.ts';
import { makeLinkedProject } from '../../helpers/linked-project.ts';
import { CliSession, runCli, runProgram } from '../../helpers/run-cli.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const folder = makeTempFolder('templates');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makeProject(name: string, template = name): Promise<string> {
  const parent = join(folder, name);
  mkdirSync(parent);
  return await makeLinkedProject(parent, template);
}

/** What each template runs first, and what that gives. `simple` has a newcomer's first day of its own. */
const runs: Readonly<Record<string, { trigger: string; input?: string; output: RegExp } | null>> = {
  dag: { trigger: 'order', input: '{"customer":"ada","items":[1200,350]}', output: /1 parcel\(s\) sent for ada-1550/ },
  durable: {
    trigger: 'agent',
    input: '{"question":"How far is it from Rome to Paris?"}',
    output: /\{"answer":"about 1110 km","turns":2\}/,
  },
  fanout: { trigger: 'album', output: /\{"files":20,"bytes":20190\}/ },
  simple: null,
  scheduled: { trigger: 'report', output: /\{"at":"[^"]+","reminder":"[^"]+"\}/ },
};

async function typeCheck(project: string): Promise<void> {
  const checked = await runProgram('npm', ['run', '--silent', 'types'], { cwd: project });
  expect(checked).toEqual({ code: 0, stdout: '', stderr: '' });
}

async function passes(project: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram('npm', ['test', '--silent'], { cwd: project });
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^# pass [1-9]\d*$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
}

describe.each(templateNames().filter((name) => !['events', 'python'].includes(name)))('the template %s', (template) => {
  it('type-checks, passes its own tests, and runs', async () => {
    const project = await makeProject(template);
    await Promise.all([typeCheck(project), passes(project)]);
    const run = runs[template];
    if (run === null) return;
    expect(run, 'the test knows what it runs').toBeDefined();
    const ended = await runCli(['dev', '--trigger', run?.trigger ?? '', '--input', run?.input ?? '{}', '--once'], {
      cwd: project,
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout.split('\n').filter((line) => run?.output.test(line))).toHaveLength(1);
  });
});

describe('the template events', () => {
  it('type-checks and passes its own tests; its filter and its wait are met by the events that it tells of', async () => {
    const project = await makeProject('events');
    await Promise.all([typeCheck(project), passes(project)]);
    const dev = new CliSession(['dev', '--no-tui'], { cwd: project });
    const push = async (...args: string[]): Promise<string> =>
      (await runCli(['trigger', 'event', ...args], { cwd: project })).stdout;
    try {
      await expect.poll(() => dev.output).toContain('Try: npx hatchet trigger event user:created');
      expect(await push('user:created', '--scope', 'shop', '--data', '{"plan":"free"}')).not.toContain('signup');
      const runId =
        /^(\S+)  signup$/m.exec(
          await push('user:created', '--scope', 'shop', '--data', '{"name":"Ada","plan":"pro"}'),
        )?.[1] ?? '';
      await expect
        .poll(async () => (await runCli(['runs', 'why', runId], { cwd: project })).stdout)
        .toContain('CONDITION');
      expect(dev.output).toContain('user:confirmed'); // the log says how to go on
      await push('user:confirmed', '--data', '{"by":"mail"}');
      await expect
        .poll(async () => (await runCli(['runs', 'get', runId], { cwd: project })).stdout)
        .toContain('Ada is with us');
    } finally {
      expect(await dev.end('SIGINT')).toBe(130);
    }
  });
});

describe('the template durable', () => {
  it('asks for a decision, waits for it, and gives up when its patience is over', async () => {
    const project = await makeProject('durable-approval', 'durable');
    const dev = new CliSession(['dev', '--no-tui'], { cwd: project });
    const trigger = async (input: object): Promise<string> =>
      (
        await runCli(['trigger', 'workflow', 'purchase', '--input', JSON.stringify(input)], { cwd: project })
      ).stdout.trim();
    const shown = async (runId: string): Promise<string> =>
      (await runCli(['runs', 'get', runId], { cwd: project })).stdout;
    try {
      await expect.poll(() => dev.output).toMatch(/worker .*serving/);
      const late = await trigger({ id: '16', amount: 5, patience: '0.05s' });
      const approved = await trigger({ id: '17', amount: 900 });
      await expect.poll(() => dev.output).toContain('May we spend 900?');
      const decision = /trigger event purchase:decided --data '(\{"id":"17".*?\})'/.exec(dev.output)?.[1] ?? '';
      await expect.poll(async () => await shown(approved)).toContain('open now: sleep 1h or event "purchase:decided"');
      await runCli(['trigger', 'event', 'purchase:decided', '--data', decision], { cwd: project });
      await expect.poll(async () => await shown(approved)).toContain('approved by Ada');
      await expect.poll(async () => await shown(late)).toContain('nobody decided in time');
    } finally {
      expect(await dev.end('SIGINT')).toBe(130);
    }
  });
});
