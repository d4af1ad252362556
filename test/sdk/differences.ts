import { isCluster } from '../helpers/sdk-target.ts';
import { differences } from './differences-table.ts';

/** Whether this run is against a cluster, where the named difference is expected. */
export function differs(difference: keyof typeof differences): boolean {
  return isCluster && difference in differences;
}
