import { inFlightPanels, type Curve } from './curve.ts';

export const workers: Curve = {
  name: 'workers',
  title: 'Workers',
  xTitle: 'workers, in one process, each with a connection of its own; 500 tasks in flight',
  measure: (context) => inFlightPanels(context, [1, 3, 10, 30, 100], (workers) => ({ workers })),
};
