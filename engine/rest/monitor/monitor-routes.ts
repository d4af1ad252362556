import type { Context } from 'hono';
import { HatchetError } from '../../base/errors.ts';
import type { MonitorMethod } from '../../edge/access/route-rules.ts';
import { longestInline } from '../../model/limits.ts';
import { Held } from '../../monitor/budget/answers-in-flight.ts';
import { answer, plainAnswer } from '../answer-in-pieces.ts';
import type { RestDeps, RestEnv } from '../deps.ts';
import type { Router } from '../gated-router.ts';
import { jsonMethod } from './json-method.ts';
import { streamAnswer } from './stream-answer.ts';

/** The monitoring service, for web pages and others that speak no gRPC: requests and answers in the JSON form of their messages. */
export function registerMonitorRoutes(router: Router, { monitor, gate, log }: RestDeps): void {
  const methods = Object.keys(monitor).filter((name): name is MonitorMethod => Object.hasOwn(monitor, name));
  for (const name of methods) {
    const call = monitor[name];
    router.post(`/api/v1/monitor/${name}`, async (context) => {
      const json = await jsonMethod(name);
      const request = json.request(await shortBody(context));
      if (call.kind === 'stream')
        return streamAnswer(
          context,
          { gate, log },
          (message) => JSON.stringify(json.answer(message)),
          (streamed, caller, signal) => call.call(request, streamed, caller, signal),
        );
      const answered = await call.call(request, context.get('caller'));
      return answered instanceof Held
        ? answer(
            context,
            answered.map((bytes) => json.answer(bytes)),
          )
        : plainAnswer(context, json.answer(answered));
    });
  }
}

/** No request of the service carries a payload. @throws HatchetError PAYLOAD_TOO_LARGE */
async function shortBody(context: Context<RestEnv>): Promise<string> {
  const text = await context.req.text();
  if (text.length > longestInline)
    throw new HatchetError('PAYLOAD_TOO_LARGE', `the body has ${text.length} characters`, {
      details: { limit: longestInline },
      remedy: `Send up to ${longestInline}.`,
    });
  return text;
}
