import { expect, it } from 'vitest';
import { masterKey, Sealer } from '../../../engine/auth/secrets/sealer.ts';
import { processHost } from '../../../engine/base/host.ts';
import type { Peer } from '../../../engine/model/replica.ts';
import { Replica } from '../../../engine/replicas/replica.ts';
import { createLog } from '../../../engine/base/log.ts';

it('an engine that stops gives its shards to one that has joined since it last looked', async () => {
  const done: string[] = [];
  let peers: readonly Peer[] = [];
  const replica = new Replica({
    owners: {
      peerOf: () => undefined,
      get peers() {
        return peers;
      },
      stateOf: () => undefined,
      served: async () => undefined,
      lookAround: async () => {
        peers = [{ id: 'another', grpc: '127.0.0.1:1', http: '127.0.0.1:2' }];
      },
      takeCallsAt: async () => undefined,
      withdraw: async () => void done.push('withdrawn'),
    },
    certificateOf: async () => null,
    sealer: new Sealer([masterKey(Buffer.alloc(32))]),
    tls: undefined,
    host: processHost,
    log: createLog('silent'),
  });
  await replica.leave({ turnAway: () => done.push('turned away'), clients: () => 0 });
  replica.stop();
  expect(done).toEqual(['withdrawn', 'turned away']);
});
