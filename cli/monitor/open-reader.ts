import { knownMonitor, lacksMonitor, noteMonitor } from '../connection/monitor-offer.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import { GrpcRunReader } from './grpc-run-reader.ts';
import type { RunReader } from './run-reader.ts';

/** A reader of whatever engine that is: by our monitoring service, and where there is none, by REST. */
export function openReader(connection: Connection): RunReader {
  return new EitherReader(connection);
}

/** An engine that has the service is asked nothing more than before; one that lacks it is recognised by its first answer, once a process. */
class EitherReader implements RunReader {
  readonly #connection: Connection;
  #grpc: GrpcRunReader | undefined;
  #rest: Promise<RunReader> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async #call<T>(read: (reader: RunReader) => Promise<T>): Promise<T> {
    if (knownMonitor(this.#connection) !== false) {
      try {
        const result = await read(this.#ours());
        noteMonitor(this.#connection, true);
        return result;
      } catch (error) {
        if (!this.#isLacking(error)) throw error;
      }
    }
    return await read(await this.#others());
  }

  async *#stream<T>(read: (reader: RunReader) => AsyncIterable<T>): AsyncGenerator<T> {
    if (knownMonitor(this.#connection) !== false) {
      try {
        for await (const message of read(this.#ours())) {
          noteMonitor(this.#connection, true);
          yield message;
        }
        return;
      } catch (error) {
        if (!this.#isLacking(error)) throw error;
      }
    }
    yield* read(await this.#others());
  }

  #ours(): GrpcRunReader {
    this.#grpc ??= new GrpcRunReader(this.#connection);
    return this.#grpc;
  }

  /** It comes with the SDK, which our own engine does not need for a read. */
  #others(): Promise<RunReader> {
    this.#rest ??= import('./rest/rest-run-reader.ts').then(({ RestRunReader }) => new RestRunReader(this.#connection));
    return this.#rest;
  }

  #isLacking(error: unknown): boolean {
    // An engine of ours, of an older version, lacks a method at most.
    if (!lacksMonitor(error) || knownMonitor(this.#connection) === true) return false;
    noteMonitor(this.#connection, false);
    return true;
  }

  readonly listRuns: RunReader['listRuns'] = (filter) => this.#call((reader) => reader.listRuns(filter));
  readonly getRun: RunReader['getRun'] = (runId) => this.#call((reader) => reader.getRun(runId));
  readonly whyRun: RunReader['whyRun'] = (runId) => this.#call((reader) => reader.whyRun(runId));
  readonly runsOfEvent: RunReader['runsOfEvent'] = (eventId) => this.#call((reader) => reader.runsOfEvent(eventId));
  readonly streamEvents: RunReader['streamEvents'] = (options, signal) =>
    this.#stream((reader) => reader.streamEvents(options, signal));
  readonly exportRuns: RunReader['exportRuns'] = (filter, signal) =>
    this.#stream((reader) => reader.exportRuns(filter, signal));
  readonly listEvents: RunReader['listEvents'] = (runId, options) =>
    this.#call((reader) => reader.listEvents(runId, options));
  readonly listLogs: RunReader['listLogs'] = (id, options) => this.#call((reader) => reader.listLogs(id, options));
  readonly streamLogs: RunReader['streamLogs'] = (id, after, signal) =>
    this.#stream((reader) => reader.streamLogs(id, after, signal));
  readonly getDurableLog: RunReader['getDurableLog'] = (id) => this.#call((reader) => reader.getDurableLog(id));
  readonly streamDurableLog: RunReader['streamDurableLog'] = (id, signal) =>
    this.#stream((reader) => reader.streamDurableLog(id, signal));
  readonly listWorkflows: RunReader['listWorkflows'] = () => this.#call((reader) => reader.listWorkflows());
  readonly getWorkflow: RunReader['getWorkflow'] = (name) => this.#call((reader) => reader.getWorkflow(name));
  readonly listWorkers: RunReader['listWorkers'] = (options) => this.#call((reader) => reader.listWorkers(options));
  readonly streamOverview: RunReader['streamOverview'] = (signal) =>
    this.#stream((reader) => reader.streamOverview(signal));
  readonly listQueues: RunReader['listQueues'] = () => this.#call((reader) => reader.listQueues());
  readonly streamQueues: RunReader['streamQueues'] = (signal) => this.#stream((reader) => reader.streamQueues(signal));
  readonly listSchedules: RunReader['listSchedules'] = () => this.#call((reader) => reader.listSchedules());
  readonly streamSchedules: RunReader['streamSchedules'] = (signal) =>
    this.#stream((reader) => reader.streamSchedules(signal));

  close(): void {
    this.#grpc?.close();
    void this.#rest?.then((reader) => reader.close());
  }
}
