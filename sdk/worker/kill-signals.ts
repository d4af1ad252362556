/** Exit codes by custom: 128 and the signal's number. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof codes;

/** Stops on the first SIGTERM or SIGINT, ends the process at once on the second. @returns what takes the handlers away */
export function onKillSignals(stop: () => Promise<void>): () => void {
  let stopping = false;
  const handle = (signal: Signal): void => {
    if (stopping) process.exit(codes[signal]);
    stopping = true;
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}
