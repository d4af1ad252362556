/** Where a screen of the terminal UI does not fit its terminal: what is cut, wrapped, or pushed out of place. */
export function misfits(screen: string, { columns, rows }: { columns: number; rows: number }): string[] {
  const lines = screen.split('\n');
  const found: string[] = [];
  if (lines.length !== rows) found.push(`${lines.length} rows`);
  for (const line of lines) if (line.length > columns) found.push(`too long: ${line}`);
  if (!/^hatchet [[ ]1 Runs.*2 Workflows.*3 Workers.*4 Queues.*5 Schedules.*6 Logs\]?$/.test(lines[0] ?? ''))
    found.push('the head is not in the first row');
  // A row less than the terminal has, or it would scroll.
  if (lines[rows - 2]?.endsWith('  ? help  q quit') !== true)
    found.push('the status bar is not in the last row but one');
  if (lines[rows - 1] !== '') found.push('there is something in the last row');
  return [...found, ...brokenFrames(lines, columns)];
}

/** A dialog's frame has four corners, and two sides in each of its rows. */
function brokenFrames(lines: readonly string[], columns: number): string[] {
  const top = lines.findIndex((line) => line.startsWith('╭'));
  const bottom = lines.findIndex((line) => line.startsWith('╰'));
  if (top === -1 && bottom === -1) return [];
  if (top === -1 || bottom < top) return ['a frame without its top or its bottom'];
  const frame = lines.slice(top, bottom + 1);
  return frame.flatMap((line, index) => {
    const [left, right] = index === 0 ? ['╭', '╮'] : index === frame.length - 1 ? ['╰', '╯'] : ['│', '│'];
    return line.length === columns && line.startsWith(left) && line.endsWith(right) ? [] : [`a broken frame: ${line}`];
  });
}
