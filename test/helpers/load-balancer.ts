import type { EngineChild } from './engine-process.ts';
import { TurnTaking } from './turn-taking.ts';

/** Between two looks at who is ready. */
const lookMs = 50;

/** Whether an engine says that it takes calls. */
export async function isReady({ ready: { http } }: EngineChild): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${http.port}/api/ready`).catch(() => undefined);
  return answer?.ok === true;
}

/** As a load balancer in front of engines: a connection stays where it was made, and a new one goes to the next that is ready. */
export class LoadBalancer {
  readonly #engines: () => readonly EngineChild[];
  #turns: TurnTaking | undefined;
  #ready: readonly EngineChild[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(engines: () => readonly EngineChild[]) {
    this.#engines = engines;
  }

  static async start(engines: () => readonly EngineChild[]): Promise<LoadBalancer> {
    const balancer = new LoadBalancer(engines);
    await balancer.#look();
    balancer.#turns = await TurnTaking.start(() => balancer.#ready.map(({ ready }) => ready.grpc.port));
    return balancer;
  }

  get port(): number {
    return this.#turns?.port ?? 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turns?.stop();
  }

  async #look(): Promise<void> {
    const engines = this.#engines();
    const ready = await Promise.all(engines.map(isReady));
    if (this.#stopped) return;
    this.#ready = engines.filter((_, index) => ready[index]);
    this.#timer = setTimeout(() => void this.#look(), lookMs);
  }
}
