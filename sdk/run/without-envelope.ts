import { toldMessage } from '../failure/parse-failure.ts';

/** What the REST API says of a run or a task, as far as engines differ in it. */
interface ToldRun {
  input?: unknown;
  errorMessage?: string;
}

/** What a Hatchet cluster keeps around the input of a task. Our engine gives the input alone. */
const envelope = ['input', 'overrides', 'parents', 'triggered_by', 'triggers', 'user_data'];

/** The same with its input alone, and the message of its failure alone, whichever engine has said it. */
export function plainRun<Run extends ToldRun>(run: Run): Run {
  return {
    ...run,
    ...(run.input === undefined ? {} : { input: plainInput(run.input) }),
    ...(run.errorMessage === undefined ? {} : { errorMessage: toldMessage(run.errorMessage) }),
  };
}

/** What it was started with. */
export function plainInput(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value);
  const isEnvelope = names.length === envelope.length && envelope.every((name) => names.includes(name));
  return isEnvelope ? Reflect.get(value, 'input') : value;
}
