import {
  context,
  createContextKey,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { messageOf } from '../failure/describe-failure.ts';
import { isThenable } from '../thenable.ts';
import type { SpanStart, Tracing } from '../tracing.ts';

export interface OpenTelemetryOptions {
  /** Makes the spans. @default the provider that the program has registered */
  tracerProvider?: TracerProvider | undefined;
  /** Whether spans have inputs and payloads (`hatchet.payload`), which may hold secrets and be large. @default false */
  payloads?: boolean | undefined;
  /** Whether the span of an attempt has its task in its name, as `hatchet.start_step_run.shop:pay`. @default false */
  taskNames?: boolean | undefined;
}

/** Where a context has the attributes of the attempt that runs in it. */
const attemptKey = createContextKey('hatchet attempt');

/**
 * Spans by OpenTelemetry, for `Hatchet.init({ tracing: openTelemetry() })`. They are named as those of Hatchet's own SDKs:
 * `hatchet.run_workflow`, `hatchet.run_workflows`, `hatchet.schedule_workflow`, `hatchet.push_event`, `hatchet.bulk_push_event`,
 * `hatchet.start_step_run` and `hatchet.durable.wait_for`. The trace goes with the metadata of runs and events, so that a trigger, its tasks,
 * their children, and what an event starts are one, whichever SDK runs them.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Tracing {
  // Asked each time: a program may register its provider after it has made its client.
  const tracer = (): Tracer => (options.tracerProvider ?? trace).getTracer('hatchet-ts');
  const attributesOf = ({ facts, payload }: SpanStart): Attributes => {
    const attributes: Attributes = { instrumentor: 'hatchet' };
    for (const [name, value] of Object.entries(facts))
      if (value !== undefined && value !== '') attributes[`hatchet.${name}`] = value;
    if (options.payloads === true && payload !== undefined) attributes['hatchet.payload'] = textOf(payload);
    return attributes;
  };
  return {
    produce(start, call) {
      const settings = { kind: SpanKind.PRODUCER, attributes: attributesOf(start) };
      return tracer().startActiveSpan(start.name, settings, (span) => {
        const carried: Record<string, string> = {};
        propagation.inject(context.active(), carried);
        return untilSettled(span, () => call(carried));
      });
    },
    attempt(start, call, failureOf) {
      const { name, facts, metadata } = start;
      const attributes = attributesOf(start);
      const parent = propagation.extract(context.active(), metadata).setValue(attemptKey, attributes);
      const fullName = options.taskNames === true ? `${name}.${facts['action_name'] ?? ''}` : name;
      return tracer().startActiveSpan(fullName, { kind: SpanKind.CONSUMER, attributes }, parent, (span) => {
        const ended = <End>(end: End, failure: string | undefined): End => {
          if (failure === undefined) span.setStatus({ code: SpanStatusCode.OK });
          else fail(span, failure);
          span.end();
          return end;
        };
        const end = call();
        return isPromise(end) ? end.then((known) => ended(known, failureOf(known))) : ended(end, failureOf(end));
      });
    },
    wait(start, call) {
      const attributes = attributesOf(start);
      return tracer().startActiveSpan(start.name, { attributes }, (span) => untilSettled(span, call));
    },
  };
}

/** What cannot be written as JSON fails where it is sent, not here. */
function textOf(payload: unknown): string {
  if (typeof payload === 'string') return payload;
  try {
    return JSON.stringify(payload) ?? '';
  } catch {
    return '';
  }
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return isThenable(value);
}

/** What throws before it has made its promise must not leave the span open. */
function untilSettled<Result>(span: Span, call: () => Promise<Result>): Promise<Result> {
  try {
    return call().then(
      (result) => {
        span.setStatus({ code: SpanStatusCode.OK });
        span.end();
        return result;
      },
      (error: unknown) => refuse(span, error),
    );
  } catch (error) {
    return refuse(span, error);
  }
}

function refuse(span: Span, error: unknown): never {
  fail(span, messageOf(error), error);
  span.end();
  throw error;
}

function fail(span: Span, message: string, error?: unknown): void {
  span.recordException(error instanceof Error ? error : { name: 'Error', message });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** A span processor, in as much as it is one of OpenTelemetry's. */
export interface AttemptSpanProcessor {
  onStart(span: Pick<Span, 'setAttributes'>, parentContext: Context): void;
  onEnd(): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * For the list of a provider's span processors, before the one that exports: gives each span that begins inside of a task the attributes of
 * its attempt, so that the engine shows spans of other libraries, such as an HTTP client's, with the run.
 */
export function attemptAttributes(): AttemptSpanProcessor {
  return {
    onStart(span, parentContext) {
      const attributes = parentContext.getValue(attemptKey);
      if (isAttributes(attributes)) span.setAttributes(attributes);
    },
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

function isAttributes(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null;
}
