import { text } from '../../edge/parse/text.ts';
import { expression, optionalExpression } from '../../edge/parse/expression.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import { wholeNumber } from '../../edge/parse/number.ts';
import type { ConcurrencyLink, ConcurrencyStrategy } from '../../model/definition.ts';
import { ConcurrencyLimitStrategy, type Concurrency } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';

/** Links of one chain. */
const longestChain = 20;
const mostRuns = 1_000_000_000;

/** DROP_NEWEST and QUEUE_NEWEST are the older names of two of the others. */
const strategies: Record<ConcurrencyLimitStrategy, ConcurrencyStrategy> = {
  [ConcurrencyLimitStrategy.CANCEL_IN_PROGRESS]: 'CANCEL_IN_PROGRESS',
  [ConcurrencyLimitStrategy.DROP_NEWEST]: 'CANCEL_NEWEST',
  [ConcurrencyLimitStrategy.QUEUE_NEWEST]: 'GROUP_ROUND_ROBIN',
  [ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN]: 'GROUP_ROUND_ROBIN',
  [ConcurrencyLimitStrategy.CANCEL_NEWEST]: 'CANCEL_NEWEST',
  [ConcurrencyLimitStrategy.CANCEL_QUEUED_EXCEPT_NEWEST]: 'CANCEL_QUEUED_EXCEPT_NEWEST',
  [ConcurrencyLimitStrategy.CANCEL_QUEUED_EXCEPT_OLDEST]: 'CANCEL_QUEUED_EXCEPT_OLDEST',
};

/** @throws HatchetError INVALID_ARGUMENT */
export function readConcurrency(links: readonly Concurrency[], where: string): ConcurrencyLink[] {
  if (links.length > longestChain)
    throw invalid(`${links.length} concurrency strategies are chained ${where}`, `Chain at most ${longestChain}.`);
  const read = links.map((link) => readLink(link, where));
  const names = read.map((link) => link.sharedName).filter((name) => name !== null);
  if (new Set(names).size < names.length)
    throw invalid(`a tenant-scoped concurrency strategy is named twice ${where}`, 'Name each of them once.');
  return read;
}

function readLink(link: Concurrency, where: string): ConcurrencyLink {
  const what = `the concurrency expression ${where}`;
  const strategy = strategies[link.limitStrategy ?? ConcurrencyLimitStrategy.CANCEL_IN_PROGRESS];
  if (strategy === undefined)
    throw invalid(
      `the concurrency strategy ${link.limitStrategy} ${where} is unknown`,
      'Use one of the strategies that the SDK names.',
    );
  const shared = link.isTenantScoped === true;
  return {
    expression: expression(link.expression, what),
    strategy,
    maxRuns: wholeNumber(link.maxRuns ?? 1, `maxRuns of the concurrency ${where}`, { min: 1, max: mostRuns }),
    maxRunsExpression: optionalExpression(link.maxRunsExpression, `the max-runs expression ${where}`),
    // Every workflow that names it shares it.
    sharedName: shared
      ? text(link.name ?? '', `the name of a tenant-scoped concurrency strategy ${where}`, { least: 1, most: 200 })
      : null,
  };
}
