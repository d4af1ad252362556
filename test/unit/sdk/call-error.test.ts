import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { detailsOf, toHatchetError } from '../../../sdk/connection/call-error.ts';

function failure(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata: new Metadata() });
}

it.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7077. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:7077',
  ],
  ['No connection established. Last error: null. Resolution note: no address', 'null (no address)'],
  ['Name resolution failed for target dns:nowhere:7077', 'Name resolution failed for target dns:nowhere:7077'],
])('of %j it shows %j', (details, shown) => {
  expect(detailsOf(failure(status.UNAVAILABLE, details))).toBe(shown);
});

it('says what was tried, why it failed and what to do', () => {
  const error = toHatchetError(
    failure(
      status.UNAVAILABLE,
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7077. Resolution note: ',
    ),
    'run simple',
  );
  expect(error.message).toBe(
    'could not run simple: connect ECONNREFUSED 127.0.0.1:7077. Check that the engine runs (`npx hatchet engine status`) and that the address is right',
  );
});

it('says so where the server speaks no TLS', () => {
  const error = toHatchetError(
    failure(
      status.UNAVAILABLE,
      '804C2829CA7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record/ssl3_record.c:350:\n',
    ),
    'run simple',
  );
  expect(error.message).toMatch(/^could not run simple: the TLS handshake failed\. /);
  expect(error.remedy).toContain('HATCHET_CLIENT_TLS_STRATEGY=none');
});

it.each([
  ['self-signed certificate', 'HATCHET_CLIENT_TLS_ROOT_CA_FILE'],
  [
    "Hostname/IP does not match certificate's altnames: IP: 10.0.0.1 is not in the cert's list",
    'HATCHET_CLIENT_TLS_SERVER_NAME',
  ],
  [
    '80BCC3003A7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required',
    'HATCHET_CLIENT_TLS_STRATEGY=mtls',
  ],
  [
    '80BCC3003A7F0000:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca',
    'HATCHET_CLIENT_TLS_CERT_FILE',
  ],
  ['Failed to connect (2026-01-01T00:00:00.000Z)', 'engine status'],
])('of %j it says what to do', (last, remedy) => {
  expect(
    toHatchetError(
      failure(status.UNAVAILABLE, `No connection established. Last error: ${last}. Resolution note: `),
      'run simple',
    ).remedy,
  ).toContain(remedy);
});
