import { afterAll, afterEach, expect } from 'vitest';
import { checkAnswers } from './contract-answers.ts';
import { oddAnswersOfProcesses } from './spawned-answers.ts';

const differences: string[] = [];
checkAnswers((difference) => differences.push(difference));

// Whatever a file tests: what REST answered is what the OpenAPI document says.
function expectNone(): void {
  expect([...differences.splice(0), ...oddAnswersOfProcesses()], 'answers that differ from proto/rest').toEqual([]);
}
afterEach(expectNone);
afterAll(expectNone);
