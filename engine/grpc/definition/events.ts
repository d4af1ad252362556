import { expression } from '../../edge/parse/expression.ts';
import { smallObject } from '../../edge/parse/checked-json.ts';
import { atMost } from '../../edge/parse/list.ts';
import { text } from '../../edge/parse/text.ts';
import type { DefaultFilter } from '../../model/definition.ts';
import type { DefaultFilter as WireFilter } from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import { utf8 } from '../utf8.ts';

const mostKeys = 1000;
const mostFilters = 1000;

/** Keys of events that start the workflow. @throws HatchetError INVALID_ARGUMENT */
export function readEventKeys(keys: readonly string[], workflow: string): string[] {
  return [
    ...new Set(
      atMost(keys, `the event keys of workflow ${workflow}`, mostKeys).map((key) =>
        text(key, `an event key of workflow ${workflow}`, { least: 1 }),
      ),
    ),
  ];
}

/** @throws HatchetError INVALID_ARGUMENT */
export function readDefaultFilters(filters: readonly WireFilter[], workflow: string): DefaultFilter[] {
  const what = `a filter of workflow ${workflow}`;
  return atMost(filters, `the default filters of workflow ${workflow}`, mostFilters).map((filter) => ({
    scope: text(filter.scope, `the scope of ${what}`, { least: 1 }),
    expression: expression(filter.expression, `the expression of ${what}`),
    payload: smallObject(filter.payload === undefined ? '' : utf8(filter.payload), `the payload of ${what}`),
  }));
}
