import { inFlightPanels, type Curve } from './curve.ts';

export const keys: Curve = {
  name: 'keys',
  title: 'Concurrency keys',
  xTitle: 'concurrency keys, taken in turn, each with room (0: a task without a key); 500 tasks in flight',
  measure: (context) => inFlightPanels(context, [0, 1, 10, 100, 1_000, 10_000], (keys) => ({ keys })),
};
