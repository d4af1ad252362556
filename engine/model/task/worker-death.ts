/** How a worker died. */
export interface WorkerDeath {
  /** Such as `exit code 1`, `SIGKILL` or `no heartbeat for 30 s`. */
  how: string;
  /** Whoever saw its process end has said so: it never comes back. */
  isCertain: boolean;
  /** So many deaths of workers end a task. */
  mostDeaths: number;
}
