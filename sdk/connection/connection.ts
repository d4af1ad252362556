import { Metadata, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';
import { DispatcherClient } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { EventsServiceClient } from '../../proto/gen/hatchet/contract/events.ts';
import { V1DispatcherClient } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { AdminServiceClient } from '../../proto/gen/hatchet/contract/v1/workflows.ts';
import { WorkflowServiceClient } from '../../proto/gen/hatchet/contract/workflows.ts';
import { MonitorServiceClient } from '../../proto/gen/hatchet/monitor/v1/monitor.ts';
import type { ClientConfig } from '../config/client-config.ts';
import type { ResolvedTls } from '../config/resolve-tls.ts';
import { SessionServiceClient } from '../../proto/gen/hatchet/session/v1/session.ts';
import { HatchetError } from '../errors.ts';
import { EngineLink } from '../../link/engine-link.ts';
import { OffersQuestion } from './engine-offers.ts';
import { channelCredentials, channelTls } from './tls-material.ts';
import { tlsMismatch } from './tls-mismatch.ts';

/** One payload is at most 4 MiB; the rest of its message needs some room. */
const longestSent = 5 * 1024 * 1024;

/** A durable task names all that it waits for at once, some 50 bytes each; the engine takes so much. */
const longestStatus = 64 * 1024 * 1024;

/** A run's details hold the outputs of all its tasks. */
const longestReceived = 64 * 1024 * 1024;

/** The gRPC clients of one configuration. They share connections, and connect at the first call. */
export class Connection {
  readonly config: ClientConfig;
  /** Whether the engine has ever answered. */
  hasAnswered = false;
  /** What the engine has beyond Hatchet's contract. */
  readonly offers = new OffersQuestion(this);
  readonly #credentials: ChannelCredentials;
  readonly #options: ClientOptions;
  readonly #open: { close(): void }[] = [];
  #dispatcher: DispatcherClient | undefined;
  #admin: AdminServiceClient | undefined;
  #workflows: WorkflowServiceClient | undefined;
  #events: EventsServiceClient | undefined;
  #durable: V1DispatcherClient | undefined;
  #monitor: MonitorServiceClient | undefined;
  #sessions: SessionServiceClient | undefined;
  #link: EngineLink | undefined;

  constructor(config: ClientConfig) {
    this.config = config;
    this.#credentials = channelCredentials(config.tls);
    this.#options = channelOptions(config.tls);
  }

  get dispatcher(): DispatcherClient {
    this.#dispatcher ??= this.#keep(new DispatcherClient(this.config.hostPort, this.#credentials, this.#options));
    return this.#dispatcher;
  }

  get admin(): AdminServiceClient {
    this.#admin ??= this.#keep(new AdminServiceClient(this.config.hostPort, this.#credentials, this.#options));
    return this.#admin;
  }

  get workflows(): WorkflowServiceClient {
    this.#workflows ??= this.#keep(new WorkflowServiceClient(this.config.hostPort, this.#credentials, this.#options));
    return this.#workflows;
  }

  get events(): EventsServiceClient {
    this.#events ??= this.#keep(new EventsServiceClient(this.config.hostPort, this.#credentials, this.#options));
    return this.#events;
  }

  get durable(): V1DispatcherClient {
    this.#durable ??= this.#keep(
      new V1DispatcherClient(this.config.hostPort, this.#credentials, {
        ...this.#options,
        'grpc.max_send_message_length': longestStatus,
      }),
    );
    return this.#durable;
  }

  /** Ours: a Hatchet cluster has it not, so `offers` is asked first. */
  get monitor(): MonitorServiceClient {
    this.#monitor ??= this.#keep(new MonitorServiceClient(this.config.hostPort, this.#credentials, this.#options));
    return this.#monitor;
  }

  /** Ours too: `link` finds out whether the engine has it. */
  get sessions(): SessionServiceClient {
    this.#sessions ??= this.#keep(
      new SessionServiceClient(this.config.hostPort, this.#credentials, {
        ...this.#options,
        'grpc.max_send_message_length': longestReceived,
      }),
    );
    return this.#sessions;
  }

  /** What goes many at once, where the engine has sessions. */
  get link(): EngineLink {
    this.#link ??= new EngineLink(
      {
        connect: () => this.sessions.connect(this.metadata()),
        welcomed: () => {
          this.hasAnswered = true;
        },
        whyHopeless: (error) => tlsMismatch(this, error),
      },
      { isOffered: this.config.sessions ? undefined : false },
    );
    return this.#link;
  }

  /** Call metadata with the token. */
  metadata(extra: Readonly<Record<string, string>> = {}): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `bearer ${this.config.token}`);
    for (const [name, value] of Object.entries(extra)) metadata.set(name, value);
    return metadata;
  }

  close(): void {
    this.#link?.close(new HatchetError('STOPPED', 'the client was closed'));
    this.#link = this.#sessions = undefined;
    for (const client of this.#open.splice(0)) client.close();
    this.#dispatcher = this.#admin = this.#workflows = this.#events = this.#durable = this.#monitor = undefined;
  }

  #keep<Client extends { close(): void }>(client: Client): Client {
    this.#open.push(client);
    return client;
  }
}

function channelOptions(tls: ResolvedTls): ClientOptions {
  return {
    'grpc.max_send_message_length': longestSent,
    'grpc.max_receive_message_length': longestReceived,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.enable_channelz': 0,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // Repeating is decided here, call by call: only calls with an identity are made again.
    'grpc.enable_retries': 0,
    ...channelTls(tls),
  };
}
