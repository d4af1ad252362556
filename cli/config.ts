/** What `hatchet.config.ts` may say. */
export interface HatchetConfig {
  dev?: {
    /** The worker's program, relative to the project. Default `src/worker.ts`, else `worker.ts`. */
    entry?: string;
    /** Further files and folders whose change reloads the worker, relative to the project. */
    watch?: readonly string[];
    /** A file of `NAME=value` lines for the worker's environment, relative to the project. Default `.env`, if there is one. */
    envFile?: string;
  };
}

/** Gives a configuration its type: `export default defineConfig({ … })`. */
export function defineConfig(config: HatchetConfig): HatchetConfig {
  return config;
}
