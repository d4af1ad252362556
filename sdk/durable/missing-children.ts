import { status } from '@grpc/grpc-js';
import { statusOf } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary } from '../connection/repeat-calls.ts';
import { HatchetError } from '../errors.ts';
import { isKnownWorkflow } from '../run/known-workflows.ts';
import type { Invocation } from './invocation.ts';
import type { SilentChild } from './open-nodes.ts';

/** A run that was just started may not be found for a moment. */
const mostMisses = 3;

/** Seconds that a cluster with much to do may take to start a child, where there is such a workflow. */
const longestStartTicks = 30;

/**
 * A Hatchet cluster gives a child an id before it starts it, and only logs where it then does not: nobody knows its workflow, or
 * another run holds its idempotency key. Of children that say nothing for some seconds it is asked whether they are there.
 */
export class MissingChildren {
  readonly #connection: Connection;
  readonly #asking = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Once a second. */
  tick(invocation: Invocation): void {
    for (const child of invocation.silentChildren()) {
      if (this.#asking.has(child.runId)) continue;
      this.#asking.add(child.runId);
      void this.#ask(invocation, child).finally(() => this.#asking.delete(child.runId));
    }
  }

  async #ask(invocation: Invocation, child: SilentChild): Promise<void> {
    const { admin } = this.#connection;
    try {
      await callUnary(this.#connection, admin.getRunDetails.bind(admin), { externalId: child.runId });
      child.isThere = true;
      return;
    } catch (error) {
      if (statusOf(error) !== status.NOT_FOUND) return;
    }
    child.misses += 1;
    if (child.misses < mostMisses) return;
    const isKnown = await isKnownWorkflow(this.#connection, child.workflow);
    if (isKnown !== false && child.ticks < longestStartTicks) return;
    invocation.failChild(
      child,
      isKnown === false
        ? new HatchetError(
            'UNKNOWN_WORKFLOW',
            `the child ${child.runId} was not started: there is no workflow ${child.workflow}`,
            { remedy: 'Start a worker that has it, and check the spelling' },
          )
        : new HatchetError(
            'UNKNOWN_RUN',
            `the child ${child.runId} of the workflow ${child.workflow} was not started: its idempotency key is held by another run, or the engine has refused it`,
            { remedy: "Look into the engine's log for why" },
          ),
    );
  }
}
