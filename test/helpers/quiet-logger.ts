/** For clients of the SDK whose log nobody reads: `logger: () => quiet`. */
export const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
