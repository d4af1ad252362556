import { createContext, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { overview, type EngineOverview } from '../data/figure-messages.ts';
import { useFollow } from './use-follow.ts';
import { rateOf, withSample, type CounterSample } from '../model/rate.ts';

export interface Figures {
  overview: EngineOverview | undefined;
  /** Runs that ended, a second. */
  rate: number | undefined;
}

const FiguresContext = createContext<Figures>({ overview: undefined, rate: undefined });

/** What the whole page knows of the engine: the status bar shows it, and lists are read again when their revision changes. */
export function useFigures(): Figures {
  return useContext(FiguresContext);
}

export function FiguresProvider({ children }: { children: ReactNode }): ReactNode {
  const [newest, setNewest] = useState<EngineOverview>();
  const samples = useRef<readonly CounterSample[]>([]);
  const [rate, setRate] = useState<number>();
  useFollow('overview', {
    open: async function* (calls, reader) {
      for await (const fields of calls.stream('StreamOverview', {}, reader)) yield overview(fields);
    },
    onMessage: (message) => {
      setNewest(message);
      const nowMs = Date.now();
      samples.current = withSample(samples.current, { atMs: nowMs, count: message.finished });
      setRate(rateOf(samples.current, nowMs));
    },
  });
  const figures = useMemo(() => ({ overview: newest, rate }), [newest, rate]);
  return <FiguresContext value={figures}>{children}</FiguresContext>;
}
