import type { CallToolResult } from '@modelcontextprotocol/server';
import { reportError } from '../output/report-error.ts';
import { cutValues } from './cut-values.ts';

/** A value as JSON, with long texts cut; or what went wrong, in the words that a person would read, and what to do next. */
export async function answerWith(work: () => Promise<unknown>, mostChars: number): Promise<CallToolResult> {
  try {
    return { content: [{ type: 'text', text: JSON.stringify(cutValues(await work(), mostChars), undefined, 1) }] };
  } catch (error) {
    return { isError: true, content: [{ type: 'text', text: reportError(error).text }] };
  }
}
