/** The parts of docs/performance.md that programs write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here } from './helpers.ts';

const page = join(here, '../../docs/performance.md');
/** What was not there before stands before it. */
const lastHeading = '\n## Measure it yourself\n';

/** @param name tells the section from others, in the comments around it */
export function writeSection(name: string, markdown: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const section = `${begin}\n\n${markdown.trim()}\n\n${end}`;
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const at = text.indexOf(lastHeading);
  if (from >= 0 && to > from) writeFileSync(page, text.slice(0, from) + section + text.slice(to + end.length));
  else if (at >= 0) writeFileSync(page, `${text.slice(0, at)}\n${section}\n${text.slice(at)}`);
  else throw new Error(`docs/performance.md has neither ${begin} … ${end} nor the heading ${lastHeading.trim()}`);
}
