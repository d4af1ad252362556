/**
 * The Hatchet version whose contract is served: SDKs switch features on it. Exactly `vX.Y.Z`, or they fall back to a legacy mode.
 *
 * It is the highest that any published SDK asks for, since all that they ask for works: v0.78.23 slots by type, v0.80.0 the durable
 * stream and eviction, v0.82.0 spans, v0.88.1 batches, v0.111.0 delays that a failure asks for. Each higher one takes
 * more: whoever raises it looks first at what newer SDKs do from there on.
 */
export const wireVersion = 'v0.111.0';
