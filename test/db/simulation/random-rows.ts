import type { Transition } from '../../../engine/model/task/transition.ts';
import { rateLimitWindows } from '../../../engine/model/definition.ts';
import { EntryKind } from '../../../engine/model/durable/durable.ts';
import { newId } from '../../../engine/model/ids/uuid.ts';
import { RunStatus } from '../../../engine/model/task/status.ts';
import { catchUpPolicies } from '../../../engine/model/time/missed-ticks.ts';
import { ChangeSet } from '../../../engine/plan/state/change-set.ts';
import { randomFrom } from '../../helpers/random.ts';
import { tenantOf } from '../../helpers/tenant.ts';
import type { TenantId } from '../../../engine/model/ids/tenant-id.ts';

/** Texts that have gone wrong somewhere: quotes, escapes, what an array literal or JSON means something by, more than one byte, more than one half of UTF-16. */
const texts = ['', 'plain', 'NULL', 'a "quoted" one', 'back\\slash', '{a,b}', 'c, d', 'ü ö', '😀', "it's", ' ', '\n\t'];
const documents = [
  '{}',
  '{"b": 1, "a": {"cc": [1, 2.50, "x"], "d": null}}',
  '{"long":"😀\\u00e9","n":1e3,"m":-0.0,"n":12345678901234567890}',
  '{"n": 1.5E-3, "t": true, "q": "\\"\\\\\\n"}',
];

type IdKind = 'workflow' | 'version' | 'worker' | 'run' | 'task' | 'event' | 'timer' | 'other' | 'tenant';

function isFirst(id: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(id) === at;
}

/** What is drawn from a seed. Ids come from small pools, the first of each more often, so that rows meet. */
export class RandomRows {
  readonly #next: () => number;
  readonly #prefix = newId().slice(0, 13);
  #used = 0;
  readonly tenants = this.#ids('aa', 2).map(tenantOf);
  readonly #workflows = this.#ids('bb', 3);
  readonly #versions = this.#ids('cc', 3);
  readonly #workers = this.#ids('dd', 4);
  readonly #runs = this.#ids('ee', 12);
  readonly #tasks = this.#ids('ff', 16);
  readonly #events = this.#ids('ab', 6);
  readonly #timers = this.#ids('ac', 8);
  readonly #others = this.#ids('ad', 4);
  #seq = 0;

  constructor(seed: number) {
    this.#next = randomFrom(seed);
  }

  /** Up to, and not including, `most`. */
  below(most: number): number {
    return Math.floor(this.#next() * most);
  }

  chance(of: number): boolean {
    return this.#next() < of;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(list.length * this.#next() ** 1.5)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Some of a list, each once. */
  some<T>(list: readonly T[], most = list.length): T[] {
    const left = [...list];
    const taken: T[] = [];
    for (let count = this.below(most + 1); count > 0 && left.length > 0; count--)
      taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }

  text(): string {
    return this.pick(texts);
  }

  document(): string {
    return this.pick(documents);
  }

  orNull<T>(value: T): T | null {
    return this.chance(0.4) ? null : value;
  }

  tenant(): TenantId {
    return this.pick(this.tenants);
  }

  id(kind: IdKind): string {
    return this.pick(this.#pool(kind));
  }

  /** All of a kind, or some. */
  ids(kind: IdKind): string[] {
    const all = this.#pool(kind);
    return this.chance(0.4) ? [...all] : [this.pick(all), ...this.some(all, 4)].filter(isFirst);
  }

  #pool(kind: IdKind): readonly string[] {
    const pools = {
      workflow: this.#workflows,
      version: this.#versions,
      worker: this.#workers,
      run: this.#runs,
      task: this.#tasks,
      event: this.#events,
      timer: this.#timers,
      other: this.#others,
      tenant: this.tenants,
    };
    return pools[kind];
  }

  seq(): number {
    return ++this.#seq;
  }

  /** A guard: any bigint. */
  guard(): string {
    return this.pick(['0', '-9223372036854775808', '9223372036854775807', '77']);
  }

  /** What a transaction may write: rows of some of the kinds. */
  changes(): ChangeSet {
    const changes = new ChangeSet();
    for (const add of this.some(this.#kinds, 7)) for (let n = this.below(2); n >= 0; n--) add(changes);
    return changes;
  }

  /** A transaction for each kind of row: few of them are refused. */
  *eachKind(): Generator<ChangeSet> {
    for (const add of this.#kinds) {
      const changes = new ChangeSet();
      add(changes);
      yield changes;
    }
  }

  /** Workflows that later rows refer to. */
  definitions(): ChangeSet {
    const changes = new ChangeSet();
    for (const id of this.#workflows.slice(0, 2))
      changes.workflows.push({ id, tenantId: this.tenant(), name: `${id} ${this.text()}` });
    return changes;
  }

  #ids(kind: string, count: number): string[] {
    return Array.from({ length: count }, (_, n) => `${this.#prefix}-7000-80${kind}-${String(n + 1).padStart(12, '0')}`);
  }

  /** One row for each key that is not there yet: of two changes of one row, Postgres takes any. */
  #once<Row>(rows: Row[], row: Row, keyOf: (row: Row) => string): void {
    if (!rows.some((each) => keyOf(each) === keyOf(row))) rows.push(row);
  }

  readonly #kinds: readonly ((changes: ChangeSet) => void)[] = [
    (changes) =>
      changes.workflows.push({ id: this.id('workflow'), tenantId: this.tenant(), name: this.pick(['w1', 'w2']) }),
    (changes) =>
      changes.versions.push({
        id: this.id('version'),
        workflowId: this.id('workflow'),
        tenantId: this.tenant(),
        ordinal: 1 + this.below(3),
        checksum: this.text(),
        definition: this.pick([...documents, '{"steps": [{"name": "one"}, {"name": "two"}, {}]}']),
      }),
    (changes) =>
      changes.workflowUpdates.push({
        id: this.id('workflow'),
        ...this.pick([
          {
            paused: true,
            dropsCrons: true,
            dropsSchedules: false,
            queueTtlMs: 1_000_000,
            resumedUs: null,
            deleted: false,
          },
          {
            paused: false,
            dropsCrons: false,
            dropsSchedules: true,
            queueTtlMs: null,
            resumedUs: 1_000_000,
            deleted: true,
          },
        ]),
      }),
    (changes) =>
      changes.workers.push({
        id: this.id('worker'),
        tenantId: this.tenant(),
        name: this.text(),
        actions: this.some(texts, 3),
        slots: '{"default": 3}',
        labels: this.document(),
        runtime: this.document(),
      }),
    (changes) =>
      changes.workerUpdates.push({
        id: this.id('worker'),
        labels: this.orNull(this.document()),
        paused: this.orNull(this.chance(0.5)),
        ended: this.chance(0.3),
      }),
    (changes) => changes.runs.push(this.#run(this.id('run'))),
    (changes) => changes.tasks.push({ id: this.id('task'), runId: this.id('run'), step: this.below(3) }),
    (changes) => {
      for (const taskId of this.some(this.#tasks, 4)) changes.liveInserts.push({ ...this.#liveRow(), taskId });
    },
    (changes) => this.#once(changes.liveUpdates, this.#liveRow(), ({ taskId }) => taskId),
    (changes) => changes.liveDeletes.push(...this.some(this.#tasks, 3)),
    (changes) =>
      this.#once(changes.stickies, { taskId: this.id('task'), workerId: this.id('worker') }, ({ taskId }) => taskId),
    (changes) =>
      changes.rateLimits.push({
        tenantId: this.tenant(),
        key: this.text(),
        limit: this.below(9),
        window: this.pick(rateLimitWindows),
        windowLimit: this.below(9),
        windowStartUs: 1_700_000_000_000_000 + this.below(1_000),
        used: this.below(9),
        isStatic: this.chance(0.5),
        pausedUntilUs: 1_800_000_000_000_000,
      }),
    (changes) =>
      changes.events.push({
        id: this.id('event'),
        tenantId: this.tenant(),
        key: this.pick(['k', 'k', 'k', 'l']),
        scope: this.pick(['s', 's', null, 't']),
        payload: this.text(),
        metadata: this.document(),
        webhookName: this.orNull(this.text()),
      }),
    (changes) =>
      changes.eventRuns.push({
        eventId: this.id('event'),
        runId: this.id('run'),
        filterId: this.orNull(this.id('other')),
      }),
    (changes) =>
      changes.deliveries.push({
        webhookId: this.id('other'),
        key: this.id('event'),
        eventId: this.id('event'),
        expiresUs: this.below(10),
      }),
    (changes) =>
      changes.filters.push({
        id: this.id('other'),
        tenantId: this.tenant(),
        workflowId: this.id('workflow'),
        scope: this.text(),
        expression: this.text(),
        payload: this.text(),
        isDeclared: this.chance(0.5),
      }),
    (changes) => changes.filterDeletes.push(this.id('other')),
    (changes) =>
      changes.crons.push({
        id: this.id('timer'),
        tenantId: this.tenant(),
        workflowId: this.id('workflow'),
        name: this.pick(['c1', 'c2', 'c3']),
        expression: '* * * * *',
        zone: 'UTC',
        catchUp: this.pick(catchUpPolicies),
        input: this.text(),
        metadata: this.document(),
        priority: this.orNull(1),
        enabled: this.chance(0.5),
        isDeclared: this.chance(0.5),
        nextUs: this.below(1_000),
        lastUs: this.orNull(this.below(1_000)),
        lastRunId: this.orNull(this.id('run')),
      }),
    (changes) =>
      changes.cronUpdates.push({
        id: this.id('timer'),
        nextUs: this.below(1_000),
        enabled: this.chance(0.5),
        lastError: this.orNull(this.text()),
        lastUs: this.orNull(this.below(1_000)),
        lastRunId: this.orNull(this.id('run')),
      }),
    (changes) => changes.cronDeletes.push(...this.some(this.#timers)),
    (changes) =>
      changes.schedules.push({
        id: this.id('timer'),
        tenantId: this.tenant(),
        workflowId: this.id('workflow'),
        dueUs: this.below(1_000),
        input: this.text(),
        metadata: this.document(),
        priority: this.orNull(2),
        parentTaskId: this.orNull(this.id('task')),
      }),
    (changes) =>
      changes.scheduleUpdates.push({
        id: this.id('timer'),
        dueUs: this.below(1_000),
        runId: this.orNull(this.id('run')),
        error: this.orNull(this.text()),
      }),
    (changes) => changes.scheduleDeletes.push(this.id('timer')),
    (changes) =>
      changes.keyClaims.push({
        tenantId: this.tenant(),
        key: this.text(),
        runId: this.id('run'),
        byStatus: this.chance(0.5),
        expiresUs: this.below(1_000),
      }),
    (changes) =>
      changes.waits.push({
        taskId: this.id('task'),
        tenantId: this.tenant(),
        sinceUs: this.below(1_000),
        sinceSeq: this.below(1_000),
        resolved: this.text(),
      }),
    (changes) => changes.waitDeletes.push(this.id('task')),
    (changes) =>
      changes.wakings.push({
        shard: this.below(2),
        seq: this.below(20),
        eventId: this.id('event'),
        tenantId: this.tenant(),
        key: this.text(),
      }),
    (changes) => changes.wakingDeletes.push({ shard: this.below(2), seq: this.below(20) }),
    (changes) => {
      const node = 1 + this.below(3);
      changes.durableEntries.push({
        taskId: this.id('task'),
        branch: 1 + this.below(2),
        node,
        // A branch has one entry of its own.
        kind: node === 1 ? EntryKind.Branch : this.pick([EntryKind.Wait, EntryKind.Memo, EntryKind.Child]),
        fingerprint: this.text(),
        asked: this.text(),
        invocation: this.below(3),
        seq: this.seq(),
        childRunId: this.orNull(this.id('run')),
      });
    },
    (changes) =>
      changes.durableResults.push({
        taskId: this.id('task'),
        branch: 1 + this.below(2),
        node: 1 + this.below(3),
        condition: this.below(3) - 1,
        seq: this.seq(),
        status: RunStatus.Completed,
        payload: this.orNull(this.text()),
        generation: this.orNull(1 + this.below(2)),
      }),
    // The input with which a task continued as new.
    (changes) =>
      changes.durableResults.push({
        taskId: this.id('task'),
        branch: 1 + this.below(2),
        node: 0,
        condition: -1,
        seq: this.seq(),
        status: RunStatus.Completed,
        payload: this.text(),
        generation: null,
      }),
    (changes) => {
      const place = { taskId: this.id('task'), branch: 1, node: 2 + this.below(2) };
      const asked = { fingerprint: '', asked: '{}', invocation: 1, childRunId: this.orNull(this.id('run')) };
      changes.durableEntries.push({ ...place, ...asked, kind: EntryKind.Child, seq: this.seq() });
      const result = { status: RunStatus.Failed, payload: this.text(), generation: 1 };
      changes.durableResults.push({ ...place, ...result, condition: -1, seq: this.seq() });
    },
    (changes) =>
      changes.durableListens.push({
        taskId: this.id('task'),
        branch: 1 + this.below(2),
        node: 1 + this.below(3),
        condition: this.below(2),
        tenantId: this.tenant(),
        eventKey: this.pick(['k', 'l']),
        scope: this.pick(['', 's']),
        guard: this.guard(),
        expression: this.text(),
        seq: this.below(20),
      }),
    (changes) => {
      const taskId = this.id('task');
      for (const branch of [1, 2]) changes.durableListenDeletes.push({ taskId, branch, node: 1 + this.below(3) });
    },
    (changes) => changes.durableEnds.push(this.id('task')),
    (changes) =>
      // The only task of a run has the run's id.
      changes.results.push(this.#result(this.chance(0.6) ? this.id('task') : this.id('run'))),
    (changes) => {
      const end = {
        tenantId: this.tenant(),
        runId: this.id('run'),
        generation: 1 + this.below(3),
        saidByResult: this.chance(0.2),
      };
      const status = this.pick([RunStatus.Failed, RunStatus.Completed, RunStatus.Cancelled]);
      // A replay opens its generation with a row of its own.
      changes.runEnds.push({ ...end, status: 0, seq: this.seq() });
      if (this.chance(0.8)) changes.runEnds.push({ ...end, status, seq: this.seq() });
    },
    (changes) => changes.history.push(this.#history(this.id('task'))),
  ];

  /** So many that they go by COPY. No other row refers to them. */
  manyRows(): ChangeSet {
    const changes = new ChangeSet();
    for (let n = 0; n < 5; n++) {
      const id = this.#unusedId();
      changes.runs.push(this.#run(id));
      changes.tasks.push({ id: this.#unusedId(), runId: id, step: n });
      changes.results.push(this.#result(id));
      changes.history.push(this.#history(id));
      const end = { tenantId: this.tenant(), runId: id, generation: 1, saidByResult: false };
      changes.runEnds.push({ ...end, status: RunStatus.Failed, seq: this.seq() });
    }
    return changes;
  }

  #unusedId(): string {
    return `${this.#prefix}-7000-80ff-${String(++this.#used).padStart(12, '0')}`;
  }

  #run(id: string): ChangeSet['runs'][number] {
    return {
      id,
      tenantId: this.tenant(),
      workflowId: this.id('workflow'),
      versionId: this.id('version'),
      priority: this.below(4),
      input: this.text(),
      metadata: this.document(),
      parentTaskId: this.orNull(this.id('task')),
      childIndex: this.orNull(this.below(5)),
      childKey: this.orNull(this.text()),
      filterPayload: this.orNull(this.document()),
      placement: this.orNull(this.text()),
      oneTask: this.chance(0.5),
      queuedSeq: this.orNull(this.seq()),
    };
  }

  #result(taskId: string): ChangeSet['results'][number] {
    return {
      taskId,
      generation: 1 + this.below(3),
      status: this.pick([RunStatus.Completed, RunStatus.Failed]),
      attempt: this.below(3),
      seq: this.seq(),
      output: this.orNull(this.pick([...texts, '{"skipped": true}'])),
      error: this.orNull(this.text()),
      invocation: this.below(3),
    };
  }

  #history(taskId: string): ChangeSet['history'][number] {
    return {
      taskId,
      seq: this.seq(),
      tenantId: this.tenant(),
      attempt: this.below(3),
      transitions: this.pick<Transition[]>([['QUEUED'], ['ASSIGNED', 'STARTED'], ['FINISHED']]),
      workerId: this.orNull(this.id('worker')),
      message: this.orNull(this.text()),
      runId: '',
      stepName: '',
      workflowName: '',
    };
  }

  #liveRow(): ChangeSet['liveInserts'][number] {
    return {
      taskId: this.id('task'),
      runId: this.id('run'),
      tenantId: this.tenant(),
      versionId: this.id('version'),
      shard: this.below(2),
      step: this.below(3),
      state: this.below(8),
      flags: this.below(100),
      priority: this.below(4),
      generation: 1 + this.below(3),
      attempt: this.below(5),
      retries: this.below(5),
      reassigns: this.below(5),
      deaths: this.below(3),
      unanswered: this.below(3),
      seq: this.seq(),
      dueUs: this.below(1_000),
      workerId: this.orNull(this.id('worker')),
      batchId: this.orNull(this.id('other')),
      demands: this.orNull(this.text()),
      invocation: this.below(4),
    };
  }
}
