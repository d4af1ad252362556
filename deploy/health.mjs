// Asks the engine of this container: `node health.mjs <path> [<port>]`. Exit code 0 where it answers 200, else 1.
// Whether it speaks TLS is known by HATCHET_ENGINE_TLS_CERT and HATCHET_ENGINE_TLS_KEY, not by flags of the engine.
import { readFileSync } from 'node:fs';
import { get as getPlain } from 'node:http';
import { get as getByTls } from 'node:https';

const [path = '/api/live', port = '8888'] = process.argv.slice(2);
const { HATCHET_ENGINE_TLS_CERT: certFile, HATCHET_ENGINE_TLS_KEY: keyFile } = process.env;
const isTls = certFile !== undefined && keyFile !== undefined;

const options = { host: '127.0.0.1', port, path, timeout: 4_000 };
const request = isTls
  ? getByTls({
      ...options,
      // Nobody else listens on this container's loopback, and the certificate is for another name.
      rejectUnauthorized: false,
      // With --tls-client-ca the engine wants a certificate of whoever asks; its own is one for clients too.
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
    })
  : getPlain(options);

request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
request.on('timeout', () => request.destroy(new Error(`no answer within ${options.timeout} ms`)));
request.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
