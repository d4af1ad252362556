import { existsSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { ExitCode } from '../../exit-codes.ts';
import { packageRoot } from '../../package-root.ts';
import { agentsFile, findTemplate, templateNames, templateSummary } from '../../scaffold/find-template.ts';
import { findPackageManager, type PackageManager } from '../../scaffold/package-manager.ts';
import { planScaffold, type ScaffoldPlan } from '../../scaffold/plan-scaffold.ts';
import { projectFiles } from '../../scaffold/project-files.ts';
import { packageName, renderTemplate } from '../../scaffold/render-template.ts';
import { writeFiles } from '../../scaffold/write-files.ts';

export interface InitFlags extends OutputFlag {
  template?: string;
  packageManager?: PackageManager;
  agents?: true;
  yes?: true;
}

interface Answers {
  dir: string;
  template: string;
}

const defaults: Answers = { dir: '.', template: 'simple' };
const newFolder = 'hatchet-app';

export async function init(context: CliContext, dir: string | undefined, flags: InitFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const answers = await ask(context, { dir, ...flags });
  if (answers === undefined) return ExitCode.interrupted;
  const folder = resolve(context.cwd, answers.dir);
  const template = findTemplate(answers.template);
  const files = renderTemplate(flags.agents === true ? [...template, agentsFile()] : template, {
    name: packageName(basename(folder)),
    hatchet: ownVersion(),
  });
  const read = projectFiles(folder);
  const isNew = read('package.json') === undefined;
  const plan = planScaffold(files, read);
  writeFiles(folder, plan.writes);
  const manager = flags.packageManager ?? findPackageManager(folder, context.env['npm_config_user_agent']);
  const next = nextCommand(relative(context.cwd, folder), manager);
  output.value(
    {
      folder,
      template: answers.template,
      files: plan.writes.map(({ path }) => path),
      added: plan.added,
      left: plan.left,
      next,
    },
    () => [...report(plan, { folder, template: answers.template, isNew }), '', `  ${next}`].join('\n'),
  );
  return ExitCode.done;
}

/** What a person has to know: of a new project that it is there, of another what came into it and what did not. */
function report(
  plan: ScaffoldPlan,
  { folder, template, isNew }: { folder: string; template: string; isNew: boolean },
): string[] {
  const left = plan.left.length === 0 ? [] : ['Left alone:', ...plan.left.map(({ what, why }) => `  ${what} (${why})`)];
  if (isNew) return [`Made ${folder} from the template ${template}.`, ...left, 'Next:'];
  const added =
    plan.added.length === 0
      ? [`Nothing to add to ${folder} from the template ${template}: it has all of it.`]
      : [`Added to ${folder} from the template ${template}:`, ...plan.added.map((what) => `  ${what}`)];
  return [...added, ...left, 'Next:'];
}

/** @returns nothing when the person gave up */
async function ask(
  context: CliContext,
  given: { dir: string | undefined; template?: string; yes?: true },
): Promise<Answers | undefined> {
  const settled = { dir: given.dir ?? defaults.dir, template: given.template ?? defaults.template };
  if (given.yes === true || !isInteractive(context) || (given.dir !== undefined && given.template !== undefined))
    return settled;
  const prompts = await import('@clack/prompts');
  // Who stands in a project means that one.
  const usual = existsSync(join(context.cwd, 'package.json')) ? defaults.dir : newFolder;
  const folder =
    given.dir ?? (await prompts.text({ message: 'In which folder?', defaultValue: usual, placeholder: usual }));
  if (prompts.isCancel(folder)) return undefined;
  const template =
    given.template ??
    (await prompts.select({
      message: 'Which template?',
      options: templateNames().map((value) => ({ value, label: value, hint: templateSummary(value) })),
    }));
  return prompts.isCancel(template) ? undefined : { dir: folder, template };
}

/** From a checkout the project links it, so that it works before anything is published. */
function ownVersion(): string {
  const root = packageRoot();
  return root.isCheckout ? `file:${root.folder}` : root.version;
}

const runners: Readonly<Record<PackageManager, string>> = { npm: 'npx', pnpm: 'pnpm', yarn: 'yarn', bun: 'bunx' };

function nextCommand(folder: string, manager: PackageManager): string {
  const enter =
    folder === ''
      ? ''
      : `cd ${/^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", String.raw`'\''`)}'`} && `;
  return `${enter}${manager} install && ${runners[manager]} hatchet dev`;
}
