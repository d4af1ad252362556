/**
 * How long a test waits for what should come true soon. What never does is found as well, and a machine under load is given
 * its time: one second, which is the default of `vi.waitFor`, was too short for some.
 */
export const patient = { timeout: 20_000 };
