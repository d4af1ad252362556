import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { durationToMs } from '../../duration.ts';
import { HatchetError } from '../../errors.ts';
import { isList, safely, shown, textFieldOf } from '../../failure/safe-reads.ts';
import { longestPayload } from '../../run/trigger-request.ts';
import { declaringModule } from './declaring-module.ts';
import type { Isolation, IsolationLevel } from './isolation.ts';

/** What a sandbox is granted. */
export interface Grants {
  readonly children: readonly string[];
  readonly read: readonly string[];
  readonly network: boolean;
}

/** How a step's function is kept apart, with its settings checked and its defaults in place. */
export interface IsolatedStep {
  readonly level: IsolationLevel;
  /** The names under which its module declares it: a task may be added to other workflows too. */
  readonly home: string;
  /** As messages name it: by the workflow too, unless it stands alone. */
  readonly label: string;
  /** Path of the module that declares it; `undefined` where it cannot be told. */
  readonly module: string | undefined;
  readonly memoryMb: number | undefined;
  readonly cpuMs: number | undefined;
  readonly resultBytes: number;
  /** Nothing but for a sandbox. */
  readonly grants: Grants;
}

const common = ['level', 'module', 'memoryMb', 'cpuTime', 'resultBytes'];
const ofSandbox = ['children', 'read', 'network'];

const leastMemoryMb: Record<IsolationLevel, number> = { thread: 16, process: 64, sandbox: 64 };
const sandboxMemoryMb = 512;
const sandboxCpuMs = 60_000;

/**
 * Reads the option `isolation` of a task, also of callers without types.
 * @throws HatchetError INVALID_DEFINITION, INVALID_DURATION
 */
export function isolatedStep(
  option: Isolation | undefined,
  { workflow, step }: { workflow: string; step: string },
): IsolatedStep | undefined {
  if (option === undefined) return undefined;
  const label = workflow === step ? step : `${workflow}:${step}`;
  const level: unknown = typeof option === 'string' ? option : textFieldOf(option, 'level');
  if (!isLevel(level))
    throw invalid(
      label,
      `is ${shown(option).slice(0, 200)}`,
      "Use 'thread', 'process' or 'sandbox', or an object with one of them as its `level`",
    );
  const given: Exclude<Isolation, string> = typeof option === 'string' ? { level } : option;
  const known = level === 'sandbox' ? [...common, ...ofSandbox] : common;
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalid(
      label,
      `has the option ${unknown}`,
      ofSandbox.includes(unknown)
        ? `Only a sandbox is granted something: a ${level} has all that its worker has`
        : `Use ${known.join(', ')}`,
    );
  const { module, memoryMb, cpuTime, resultBytes = longestPayload } = given;
  checkCount(label, 'memoryMb', { value: memoryMb, least: leastMemoryMb[level] });
  checkCount(label, 'resultBytes', { value: resultBytes, least: 1 });
  const cpuMs = cpuTime === undefined ? undefined : durationToMs(cpuTime);
  if (cpuMs === 0) throw invalid(label, 'has no cpuTime at all', "Use a duration such as '10s', or leave it out");
  const isSandbox = level === 'sandbox';
  return {
    level,
    home: `${workflow}:${step}`,
    label,
    module: module === undefined ? declaringModule() : modulePath(label, module),
    memoryMb: memoryMb ?? (isSandbox ? sandboxMemoryMb : undefined),
    cpuMs: cpuMs ?? (isSandbox ? sandboxCpuMs : undefined),
    resultBytes: Math.min(resultBytes, longestPayload),
    grants:
      'children' in given || 'read' in given || 'network' in given
        ? readGrants(label, given)
        : { children: [], read: [], network: false },
  };
}

function isLevel(value: unknown): value is IsolationLevel {
  return typeof value === 'string' && Object.hasOwn(leastMemoryMb, value);
}

function readGrants(
  label: string,
  {
    children = [],
    read = [],
    network = false,
  }: { children?: readonly string[] | undefined; read?: readonly string[] | undefined; network?: boolean | undefined },
): Grants {
  checkTexts(label, 'children', children);
  checkTexts(label, 'read', read);
  // Commas divide Node's own lists of paths, and a star there stands for all that begins so.
  const wrong = read.find((path) => !isAbsolute(path) || /[,*\n]/.test(path));
  if (wrong !== undefined)
    throw invalid(label, `may read ${JSON.stringify(wrong)}`, 'Use absolute paths without commas and stars');
  if (typeof network !== 'boolean') throw invalid(label, `has the network ${shown(network)}`, 'Use true or false');
  return { children: [...children], read: [...read], network };
}

function modulePath(label: string, module: string): string {
  const path = safely(() => (module.startsWith('file:') ? fileURLToPath(module) : module), '');
  if (!isAbsolute(path))
    throw invalid(label, `has the module ${shown(module)}`, 'Use import.meta.url, or an absolute path');
  return path;
}

function checkTexts(label: string, name: string, value: unknown): void {
  if (!isList(value) || value.some((one) => typeof one !== 'string' || one === ''))
    throw invalid(label, `has the ${name} ${shown(value).slice(0, 200)}`, 'Use a list of texts');
}

function checkCount(label: string, name: string, { value, least }: { value: unknown; least: number }): void {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= least)) return;
  throw invalid(label, `has the ${name} ${shown(value)}`, `Use a whole number from ${least}`);
}

function invalid(label: string, what: string, remedy: string): HatchetError {
  return new HatchetError('INVALID_DEFINITION', `the isolation of the task ${label} ${what}`, { remedy });
}
