import { describe, expect, it } from 'vitest';
import { CliError } from '../../../../cli/cli-error.ts';
import { parseSidecarFlags } from '../../../../cli/embedded/sidecar-flags.ts';

describe('flags of an embedded engine', () => {
  it('are those that the SDKs give', () => {
    expect(
      parseSidecarFlags(
        '-handshake-file /t/h.json -database-url postgres://x -postgres-data-dir /d -grpc-port 7070 -api-port 8080 -log-level debug'.split(
          ' ',
        ),
      ),
    ).toEqual({
      handshakeFile: '/t/h.json',
      databaseUrl: 'postgres://x',
      dataDir: '/d',
      grpcPort: 7070,
      apiPort: 8080,
      migrates: true,
      logLevel: 'debug',
      unused: [],
    });
    expect(parseSidecarFlags(['--handshake-file=/h'])).toMatchObject({ handshakeFile: '/h', grpcPort: 0, apiPort: 0 });
  });

  it('that mean nothing here are taken, and said to be unused', () => {
    const { unused, migrates } = parseSidecarFlags(
      '-handshake-file h -rabbitmq-url amqp://x -no-api -no-migrations'.split(' '),
    );
    expect(unused).toEqual([
      expect.stringContaining('-rabbitmq-url is not used'),
      expect.stringContaining('-no-api is not used'),
    ]);
    expect(migrates).toBe(false);
  });

  it.each([
    [[], '-handshake-file is missing'],
    [['-handshake-file'], 'has no value'],
    [['-handshake-file', 'h', '-grpc-port', '70000'], 'is no port'],
    [['-handshake-file', 'h', '-api-port', 'http'], 'is no port'],
    [['-handshake-file', 'h', '-log-level', 'loud'], 'is no level'],
    [['-handshake-file', 'h', '-queue'], 'is not a flag'],
    [['start'], 'is not a flag'],
  ])('refuses %j', (args, message) => {
    expect(() => parseSidecarFlags(args)).toThrow(CliError);
    expect(() => parseSidecarFlags(args)).toThrow(message);
  });
});
