import { demand } from '../../auth/role.ts';
import type { RunEndWaiters } from '../../monitor/runs/run-end-waiters.ts';
import type { Gate } from '../../edge/access/gate.ts';
import type { Caller } from '../../edge/access/caller.ts';
import { id, knownId } from '../../edge/parse/id.ts';
import { invalid } from '../../edge/parse/invalid.ts';
import {
  SessionServiceService,
  type ConnectRequest,
  type Hello,
} from '../../../proto/gen/hatchet/session/v1/session.ts';
import type { GrpcService } from '../grpc-server.ts';
import { originOf } from '../calls/gated.ts';
import type { DurableStreamDeps } from '../durable/durable-stream.ts';
import { openDurableStream } from '../durable/open-durable-stream.ts';
import type { Duplex, Edge } from '../edge.ts';
import { serve } from '../handlers.ts';
import { FrameCommands, type CommandDeps } from './carry-out.ts';
import { OpenSessions } from './open-sessions.ts';
import { ProgramSession, type SessionLink, type SessionPorts } from './program-session.ts';

interface PortDeps extends CommandDeps {
  results: Pick<RunEndWaiters, 'wait'>;
  durable: DurableStreamDeps;
}

export interface SessionDeps extends Edge, PortDeps {
  gate: Gate;
}

/** Programs that use our own SDK: all that they send and are told, on one stream each. */
export function sessionService(deps: SessionDeps): GrpcService {
  return servePrograms(deps, sessionPorts(deps));
}

/** What sessions ask of this engine. */
export function sessionPorts(deps: PortDeps): SessionPorts {
  const { owner, dispatcher } = deps;
  const commands = new FrameCommands(deps);
  return {
    carryOut: (frame, program) => commands.carryOut(frame, program),
    cut: (tenantId) => commands.cut(tenantId),
    workers: async ({ tenantId, identity }) => {
      demand(identity.role, 'work', '/Dispatcher/ListenV2');
      await owner.served(tenantId);
      return (workerId, link) => dispatcher.attach(tenantId, knownId(workerId, 'UNKNOWN_WORKER'), link);
    },
    durable: ({ tenantId, identity }) => {
      demand(identity.role, 'work', '/V1Dispatcher/DurableTask');
      // Whoever has sessions keeps a result until its code asks for it.
      return (out) => openDurableStream(deps.durable, { tenantId, strict: false, ...out });
    },
    results: deps.results,
    log: deps.log,
    ...(deps.host === undefined ? {} : { host: deps.host }),
  };
}

/** The service over whatever carries out what programs ask. */
export function servePrograms(edge: Edge, ports: SessionPorts): GrpcService {
  const sessions = new OpenSessions();
  return serve(edge, SessionServiceService, {
    connect: (call, caller, fail, address) => {
      let isRelay = false;
      const link: SessionLink = {
        write: (message) => call.write(message),
        isBehind: () => call.writableNeedDrain,
        pause: () => void call.pause(),
        resume: () => void call.resume(),
        fail,
        address,
        isRelay: () => isRelay,
      };
      const { isForwarded } = originOf(edge, call);
      const stream = openStream(sessions, ports, {
        link,
        caller,
        greeted: (hello) => {
          isRelay = isForwarded && hello.isRelay;
        },
      });
      call.on('drain', () => stream.flush());
      return stream;
    },
  });
}

/** A stream, which joins the session that its first frame names. */
export function openStream(
  sessions: OpenSessions,
  ports: SessionPorts,
  { link, caller, greeted }: { link: SessionLink; caller: Caller; greeted?: (hello: Hello) => void },
): Duplex<ConnectRequest> & { flush(): void } {
  const { tenantId } = caller;
  let session: ProgramSession | undefined;
  return {
    handle: (request) => {
      if (session !== undefined) return session.take(link, request);
      const { hello } = request;
      if (hello === undefined) throw invalid('the stream does not begin with a hello', 'Send one first.');
      greeted?.(hello);
      const key = `${tenantId} ${id(hello.sessionId, "the session's id")}`;
      session = sessions.find(key, hello.engineId, () => {
        const made = new ProgramSession(ports, { tenantId, ended: () => sessions.forget(key, made) });
        return made;
      });
      session.connect(link, caller);
    },
    end: () => {
      if (session?.cut(link) === true) sessions.keep(session);
    },
    flush: () => session?.flush(),
  };
}
