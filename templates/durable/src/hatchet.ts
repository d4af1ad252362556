import { Hatchet } from 'hatchet-ts';

// Finds its engine by itself: `hatchet dev` passes the address and the token to the worker.
export const hatchet = Hatchet.init();
