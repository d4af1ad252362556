import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls';
import type { TlsOptions } from '../base/engine-options.ts';
import { HatchetError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';

/**
 * Files are looked at this often. fs.watch was set aside: it follows an inode, and mounted secrets are exchanged by a link
 * two folders up.
 */
const lookMs = 1_000;
/** Strangers that begin a handshake and do not end it. */
const handshakeMs = 10_000;

/** A server's certificate and key, and whom it lets in, as they lie on disk at present. */
export class TlsIdentity {
  readonly #options: TlsOptions;
  readonly #log: Logger;
  readonly #servers = new Set<Server>();
  readonly #reload = (): void => this.#look();
  readonly #listeners: (() => void)[] = [];
  #context: ServedContext;

  private constructor(options: TlsOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#context = readContext(options);
    for (const path of this.#paths) watchFile(path, { interval: lookMs, persistent: false }, this.#reload);
  }

  /** @throws HatchetError TLS_UNUSABLE */
  static open(options: TlsOptions, log: Logger): TlsIdentity {
    return new TlsIdentity(options, log);
  }

  /** For tls.createServer and https.createServer. */
  get serverOptions(): SecureContextOptions & {
    requestCert: boolean;
    rejectUnauthorized: boolean;
    handshakeTimeout: number;
  } {
    return { ...this.#context, ...clientChecks(this.#options), handshakeTimeout: handshakeMs };
  }

  /** For whoever shows it as a client, or tells others of it. */
  get certificate(): { cert: Buffer; key: Buffer } {
    const { cert, key } = this.#context;
    return { cert, key };
  }

  /** Called when another certificate is served. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** New handshakes of the server use what is on disk, from here on. */
  serve(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  stop(): void {
    for (const path of this.#paths) unwatchFile(path, this.#reload);
    this.#servers.clear();
  }

  get #paths(): string[] {
    return [this.#options.certFile, this.#options.keyFile, this.#options.clientCaFile].filter(
      (path) => path !== undefined,
    );
  }

  /** Between the exchange of a certificate and that of its key the two do not fit: the old ones serve on. */
  #look(): void {
    try {
      this.#context = readContext(this.#options);
      for (const server of this.#servers) server.setSecureContext(this.#context);
      for (const listener of this.#listeners) listener();
      this.#log.info({ certFile: this.#options.certFile }, 'the TLS certificate was read again');
    } catch (error) {
      this.#log.error({ err: error }, 'the TLS files on disk cannot be used; the earlier ones stay in use');
    }
  }
}

function clientChecks({ clientCaFile }: TlsOptions): { requestCert: boolean; rejectUnauthorized: boolean } {
  return { requestCert: clientCaFile !== undefined, rejectUnauthorized: clientCaFile !== undefined };
}

interface ServedContext extends SecureContextOptions {
  cert: Buffer;
  key: Buffer;
}

/** @throws HatchetError TLS_UNUSABLE */
function readContext(options: TlsOptions): ServedContext {
  const context: ServedContext = {
    cert: read(options.certFile, 'certificate'),
    key: read(options.keyFile, 'key'),
    ...(options.clientCaFile === undefined ? {} : { ca: read(options.clientCaFile, "clients' authority") }),
    minVersion: options.minVersion === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    throw new HatchetError(
      'TLS_UNUSABLE',
      `the certificate ${options.certFile} and the key ${options.keyFile} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        remedy: 'Give a certificate chain and its own private key, both in PEM; the key without a passphrase.',
      },
    );
  }
  return context;
}

function read(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HatchetError(
      'TLS_UNUSABLE',
      `the TLS ${what} ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, remedy: 'Correct the path, or let the engine read the file.' },
    );
  }
}
