import { plainText } from '../../output/plain-text.ts';
import { fit } from '../../output/table.ts';
import { wrapWords } from '../../output/wrap-text.ts';
import type { DevStatus, UiState } from './ui-state.ts';

export interface BannerLine {
  text: string;
  style?: 'wrong' | 'attention' | 'dim';
}

/** Last lines of a crashed worker that are shown. */
const crashLines = 3;

/**
 * A session's trouble, beneath the head: the worst there is, its sentences within the terminal's width.
 * @param most lines that one sentence may take: a compiler's message says at its end what was meant
 */
export function bannerLines({ dev, columns }: Pick<UiState, 'dev' | 'columns'>, most: number): readonly BannerLine[] {
  if (dev === undefined) return [];
  const wrapped = (mark: string, text: string, style?: BannerLine['style']): BannerLine[] => {
    const width = Math.max(1, columns - 2);
    const lines = wrapWords(plainText(text), width);
    const shown = [...lines.slice(0, most - 1), fit(lines.slice(most - 1).join(' '), width)].slice(0, lines.length);
    return shown.map((line, index) => ({
      text: `${index === 0 ? mark : ' '} ${line}`,
      ...(style === undefined ? {} : { style }),
    }));
  };
  if (dev.trouble !== undefined)
    return [...wrapped('✗', dev.trouble.text, 'wrong'), ...wrapped(' ', dev.trouble.remedy)];
  const [problem] = dev.problems;
  if (problem !== undefined) {
    const rest = dev.problems.length > 1 ? ` (and ${dev.problems.length - 1} more)` : '';
    return wrapped(
      '✗',
      `not built, ${dev.worker === 'none' ? 'no worker serves yet' : 'the last good worker serves'}: ${problem.file}:${problem.line}:${problem.column} ${problem.message}${rest}`,
      'wrong',
    );
  }
  if (dev.mismatches.length > 0) return mismatchLines(dev.mismatches);
  if (dev.crash !== undefined)
    return [
      ...wrapped('✗', dev.crash.text, 'wrong'),
      ...dev.crash.lines
        .slice(-crashLines)
        .map((line): BannerLine => ({ text: `  │ ${plainText(line)}`, style: 'dim' })),
    ];
  if (dev.held.length > 0)
    return wrapped(
      '!',
      `the worker writes ${dev.held.join(', ')} itself at each start, and imports it; r or another change reloads`,
      'attention',
    );
  const [warning] = dev.typeProblems;
  return warning === undefined
    ? []
    : wrapped(
        '!',
        `${dev.typeProblems.length} type error(s): ${warning.file}:${warning.line}:${warning.column} ${warning.message}`,
        'attention',
      );
}

function mismatchLines([mismatch, ...more]: DevStatus['mismatches']): readonly BannerLine[] {
  if (mismatch === undefined) return [];
  return [
    {
      text: `✗ ${plainText(mismatch.workflow)} ${mismatch.runId.slice(0, 8)}…${mismatch.runId.slice(-4)} does not fit the code any more, at node ${mismatch.node}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
      style: 'wrong',
    },
    { text: `  its log holds  ${plainText(mismatch.recorded)}` },
    { text: `  the code asks  ${plainText(mismatch.asked)}` },
    { text: '  m opens it, b there branches; or guard the change with patched(), or run anew', style: 'dim' },
  ];
}
