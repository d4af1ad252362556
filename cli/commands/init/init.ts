import { basename, relative, resolve } from 'node:path';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { ExitCode } from '../../exit-code.ts';
import { packageRoot } from '../../package-root.ts';
import { findTemplate, templateNames, templateSummary } from '../../scaffold/find-template.ts';
import { packageName, renderTemplate } from '../../scaffold/render-template.ts';
import { writeFiles } from '../../scaffold/write-files.ts';

export const packageManagers = ['npm', 'pnpm', 'yarn', 'bun'] as const;
export type PackageManager = (typeof packageManagers)[number];

export interface InitFlags extends OutputFlag {
  template?: string;
  packageManager?: PackageManager;
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
  const files = renderTemplate(findTemplate(answers.template), { name: packageName(basename(folder)), hatchet: ownVersion() });
  const written = writeFiles(folder, files);
  const manager = flags.packageManager ?? callingManager(context.env['npm_config_user_agent']);
  const next = nextCommand(relative(context.cwd, folder), manager);
  output.value({ folder, template: answers.template, files: written, next }, () => [`Made ${folder} from the template ${answers.template}. Next:`, '', `  ${next}`].join('\n'));
  return ExitCode.done;
}

/** @returns nothing when the person gave up */
async function ask(context: CliContext, given: { dir: string | undefined; template?: string; yes?: true }): Promise<Answers | undefined> {
  const settled = { dir: given.dir ?? defaults.dir, template: given.template ?? defaults.template };
  if (given.yes === true || !isInteractive(context) || (given.dir !== undefined && given.template !== undefined)) return settled;
  const prompts = await import('@clack/prompts');
  const folder = given.dir ?? (await prompts.text({ message: 'In which folder?', defaultValue: newFolder, placeholder: newFolder }));
  if (prompts.isCancel(folder)) return undefined;
  const template = given.template ?? (await prompts.select({ message: 'Which template?', options: templateNames().map((value) => ({ value, label: value, hint: templateSummary(value) })) }));
  return prompts.isCancel(template) ? undefined : { dir: folder, template };
}

/** From a checkout the project links it, so that it works before anything is published. */
function ownVersion(): string {
  const root = packageRoot();
  return root.isCheckout ? `file:${root.folder}` : root.version;
}

function callingManager(userAgent: string | undefined): PackageManager {
  return packageManagers.find((name) => userAgent?.startsWith(`${name}/`) === true) ?? 'npm';
}

const runners: Readonly<Record<PackageManager, string>> = { npm: 'npx', pnpm: 'pnpm', yarn: 'yarn', bun: 'bunx' };

function nextCommand(folder: string, manager: PackageManager): string {
  const enter = folder === '' ? '' : `cd ${/^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", String.raw`'\''`)}'`} && `;
  return `${enter}${manager} install && ${runners[manager]} hatchet dev`;
}
