/** What a span says beside its name. What has no value is left out. */
export type SpanFacts = Readonly<Record<string, string | number | undefined>>;

/** Metadata that ties what is started to the trace of who started it. */
export type CarriedContext = Readonly<Record<string, string>>;

/** A span that is about to begin. */
export interface SpanStart {
  readonly name: string;
  readonly facts: SpanFacts;
  /** The input or payload that it is about: JSON, or what becomes JSON. */
  readonly payload?: unknown;
}

/**
 * What a client tells of the runs and events that it starts, and a worker of the attempts that it runs, while they do it. Each method
 * calls `call` once and at once, and gives what that gives: operations of a durable task have their places by the order of its calls.
 * `openTelemetry()` of `hatchet-ts/opentelemetry` is one.
 */
export interface Tracing {
  /**
   * Around what starts runs or pushes events.
   * @param call is given what goes into the metadata of what is started
   */
  produce<Result>(span: SpanStart, call: (carried: CarriedContext) => Promise<Result>): Promise<Result>;
  /**
   * Around the code of an attempt.
   * @param metadata of its run
   * @param call gives its end, or a promise of it, and never throws
   * @param failureOf the message of an attempt that has failed
   */
  attempt<End>(
    span: SpanStart & { readonly metadata: CarriedContext },
    call: () => End | Promise<End>,
    failureOf: (end: End) => string | undefined,
  ): End | Promise<End>;
  /** Around a wait of an attempt's code. */
  wait<Result>(span: SpanStart, call: () => Promise<Result>): Promise<Result>;
}

const nothingCarried: CarriedContext = {};

/** `call`, told of where somebody listens. */
export function produced<Result>(
  tracing: Tracing | undefined,
  span: () => SpanStart,
  call: (carried: CarriedContext) => Promise<Result>,
): Promise<Result> {
  return tracing === undefined ? call(nothingCarried) : tracing.produce(span(), call);
}

/** Metadata with what is carried, which takes the place of what somebody else's trace left there. */
export function withCarried<Metadata extends CarriedContext | undefined>(
  metadata: Metadata,
  carried: CarriedContext,
): Metadata | CarriedContext {
  return carried === nothingCarried ? metadata : { ...metadata, ...carried };
}
