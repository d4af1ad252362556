/** What a command may touch of the process it runs in. Only bin.ts makes the real one. */
export interface CliContext {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Aborted by the first Ctrl+C (reason `SIGINT`) or by SIGTERM; the second ends the process at once. */
  interrupted: AbortSignal;
  /** The same as Ctrl+C, which a terminal in raw mode gives as a key: the second call ends the process. */
  interrupt(): void;
}

/** Both ends are a person's: the only case in which anything may prompt or draw. */
export function isInteractive(context: CliContext): boolean {
  return (
    context.stdin.isTTY && context.stdout.isTTY && context.env['CI'] === undefined && context.env['TERM'] !== 'dumb'
  );
}
