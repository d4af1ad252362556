// Loaded into engines in processes of their own, before them: see spawned-answers.ts.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { checkAnswers } from './contract-answers.ts';
import { oddAnswersVariable } from './odd-answers-variable.ts';

const file = process.env[oddAnswersVariable];
if (isMainThread && file !== undefined)
  checkAnswers((difference) => appendFileSync(file, `${JSON.stringify(difference)}\n`));
