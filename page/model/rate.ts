/** Events a second, from a counter that is looked at now and then, over the last ten seconds. */
const overMs = 10_000;

export interface CounterSample {
  atMs: number;
  count: number;
}

/** The samples that a rate needs, with a new one. A counter that went back begins anew. */
export function withSample(samples: readonly CounterSample[], sample: CounterSample): readonly CounterSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.count < last.count) return [sample];
  const kept = samples.filter(({ atMs }) => atMs >= sample.atMs - overMs);
  return [...kept, sample];
}

/** Undefined before there are two samples. */
export function rateOf(samples: readonly CounterSample[], nowMs: number): number | undefined {
  const recent = samples.filter(({ atMs }) => atMs >= nowMs - overMs);
  const last = samples.at(-1);
  const first = recent[0];
  if (last === undefined) return undefined;
  if (first === undefined || first === last) return samples.length > 1 || nowMs - last.atMs > 1_000 ? 0 : undefined;
  return ((last.count - first.count) / Math.max(1, nowMs - first.atMs)) * 1_000;
}
