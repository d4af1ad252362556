/** The output of a skipped task; told from a task's own output by its very text. */
export const skippedOutput = '{"skipped": true}';

/** A task's own output that reads as that of a skipped one (Python's json.dumps writes the same, space included) is stored without the space. */
export function ownOutput(output: string): string {
  return output === skippedOutput ? JSON.stringify(JSON.parse(skippedOutput)) : output;
}
