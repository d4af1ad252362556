import type { Host } from '../../../engine/base/host.ts';
import type { Delivery } from './wire.ts';

/** A process of an engine that uses the store. What is delivered to it reaches it while it runs. */
export interface SimulatedProcess extends Delivery {
  readonly name: string;
  readonly host: Pick<Host, 'setTimeout'>;
}
