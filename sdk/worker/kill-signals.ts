/** Exit codes by custom: 128 and the signal's number. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof codes;

/** Of all workers of the process: it ends once the last of them has stopped, so that none is cut off by another's end. */
const stops = new Set<() => Promise<void>>();
let stopping = false;

function handle(signal: Signal): void {
  if (stopping) process.exit(codes[signal]);
  stopping = true;
  void Promise.allSettled([...stops].map(async (stop) => await stop())).then((ends) =>
    process.exit(ends.some(({ status }) => status === 'rejected') ? 1 : 0),
  );
}

/** Stops on the first SIGTERM or SIGINT, ends the process at once on the second. @returns what takes the handlers away */
export function onKillSignals(stop: () => Promise<void>): () => void {
  if (stops.size === 0) {
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  }
  stops.add(stop);
  return () => {
    stops.delete(stop);
    // A stopped worker takes its own away; the handlers stay for the second signal while others stop.
    if (stops.size > 0) return;
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}
