import { shardCount } from '../../../engine/model/ids/shard-of.ts';
import { inFlightPanels, type Curve } from './curve.ts';

/** Clients and workers connect to the engines in turn, whichever has their tenant. */
export const replicas: Curve = {
  name: 'replicas',
  title: 'Engines on one Postgres',
  xTitle: `engines, all on the same cores; ${shardCount} tenants, 500 tasks in flight in all`,
  measure: (context) => inFlightPanels(context, [1, 2, 3], (engines) => ({ engines, tenants: shardCount })),
};
