import { inFlightPanels, type Curve } from './curve.ts';

export const tenants: Curve = {
  name: 'tenants',
  title: 'Tenants',
  xTitle: 'tenants, each with a client and a worker of its own; 500 tasks in flight in all',
  measure: (context) => inFlightPanels(context, [1, 3, 10, 30, 100, 300, 1_000], (tenants) => ({ tenants })),
};
