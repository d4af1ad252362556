/** What a durable task's log holds at a node, and what its code asked for there instead. */
export interface Mismatch {
  node: number;
  /** In a few words. */
  recorded: string;
  asked: string;
}

/** The task fails with this text, whatever SDK carries it. */
export function mismatchMessage({ node, recorded, asked }: Mismatch): string {
  return `node ${node} of the log holds ${recorded}, and the code asks for ${asked}: it took another way than the first time. Branch the task from that node, guard the change with patched(), or start a new run.`;
}

const pattern =
  /\bnode (\d+) of the log holds (.+), and the code asks for (.+): it took another way than the first time\./s;

/** Found again in the message of a failure, which SDKs and user code may have wrapped in words of their own. */
export function parseMismatch(message: string): Mismatch | undefined {
  const match = pattern.exec(message);
  return match === null ? undefined : { node: Number(match[1]), recorded: match[2] ?? '', asked: match[3] ?? '' };
}
