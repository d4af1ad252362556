/** The Hatchet version whose contract is served: SDKs switch features on it. Exactly `vX.Y.Z`, or they fall back to a legacy mode. */
export const wireVersion = 'v0.94.16';
