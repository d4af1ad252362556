import { markChecked, type Checked } from '../../model/checked.ts';
import { cronProblem } from '../../model/time/cron.ts';
import { invalid, quoted } from './invalid.ts';

/** Characters. The longest that make sense list every minute. */
const longestExpression = 200;
const longestZone = 100;

/** @param zone an IANA name @throws HatchetError INVALID_ARGUMENT */
export function cron(
  value: { expression: string; zone: string },
  what: string,
): { expression: Checked<string>; zone: Checked<string> } {
  const { expression, zone } = value;
  if (expression.length > longestExpression)
    throw invalid(
      `${what} has ${expression.length} characters`,
      `Use up to ${longestExpression}: five fields, or six with seconds first.`,
    );
  if (zone.length > longestZone)
    throw invalid(
      `the time zone of ${what} has ${zone.length} characters`,
      `Give an IANA name such as Europe/Berlin, of up to ${longestZone} characters.`,
    );
  const wrong = cronProblem({ expression, zone });
  if (wrong !== undefined) throw invalid(`${what} ${quoted(expression)} is not valid: ${wrong.problem}`, wrong.remedy);
  return { expression: markChecked(expression), zone: markChecked(zone) };
}
