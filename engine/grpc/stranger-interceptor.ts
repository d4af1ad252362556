import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type Metadata,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { Identity } from '../auth/tokens.ts';
import type { Gate } from '../edge/access/gate.ts';
import { ruleOf } from '../edge/access/method-rules.ts';
import type { Logger } from '../base/log.ts';
import type { ConnectionGuard } from '../net/connection-guard.ts';
import { toServiceError } from './service-error.ts';

interface Deps {
  gate: Gate;
  connections: ConnectionGuard;
  log: Logger;
}

/**
 * On a connection that has shown no good token yet, a call's message is not read before its token is known: grpc-js would
 * else keep up to 64 MiB of it, for anybody. Calls of all other connections pass untouched.
 */
export function strangerInterceptor({ gate, connections, log }: Deps): ServerInterceptor {
  return (method, call) => {
    const isStranger = connections.hasStrangers && connections.isStranger(call.getPeer());
    if (isLibraryCall(call) && (!isStranger || ruleOf(method.path)?.needs === 'anyone')) return call;
    const refuse = (error: unknown): void => {
      const { code, details, metadata } = toServiceError(error, log);
      call.sendStatus({ code, details, metadata });
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata(
        (metadata, next) =>
          void identify(gate, metadata).then(() => {
            // Before its message comes: one of more than a stranger may send would else end the connection.
            connections.admit(call.getPeer());
            next(metadata);
          }, refuse),
      )
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

async function identify(gate: Gate, metadata: Metadata): Promise<Identity> {
  const [authorization] = metadata.get('authorization');
  return gate.identify(typeof authorization === 'string' ? authorization : undefined);
}

/** What the library passes here it takes back as it is; only its types ask for the class that wraps a call. */
function isLibraryCall(call: object): call is ServerInterceptingCall {
  return 'startRead' in call;
}
