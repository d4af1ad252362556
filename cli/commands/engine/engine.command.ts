import { Command, Option } from 'commander';
import { examples, withOutput, type CommandHost } from '../../command-host.ts';
import { names, port, wholeNumber } from '../../input/parse-flags.ts';
import { tlsVersions } from './network-options.ts';
import type { EngineFlags } from './engine-folder.ts';
import type { StartFlags } from './start-engine.ts';

const dataDir = ['--data-dir <folder>', 'data folder of the engine (default: .hatchet in the project)'] as const;

export function engineCommand(host: CommandHost): Command {
  const start = new Command('start')
    .description('the engine alone, for a server or CI')
    .option(...dataDir)
    .option('--database-url <url>', 'Postgres 15 or newer, instead of the embedded one (default: DATABASE_URL)')
    .option('--host <address>', 'address to listen on; one that other machines reach needs TLS', '127.0.0.1')
    .option(
      '--advertise-host <address>',
      'where the other engines on the database reach this one (default: HATCHET_ENGINE_ADVERTISE_HOST, else --host, or the first address of the machine)',
    )
    .option(
      '--edges <n>',
      'processes that take the calls and pass them on to this one, on machines with cores to spare',
      wholeNumber(0, 64),
      0,
    )
    .option('--edge', 'only take calls, for the engines on --database-url: hold no tasks')
    .option('--grpc-port <port>', 'gRPC port; 0 takes any free one', port, 7077)
    .option('--http-port <port>', 'HTTP port; 0 takes any free one', port, 8888)
    .option(
      '--metrics-port <port>',
      'serve GET /metrics for Prometheus there, without a token; 0 takes any free one (default: HATCHET_ENGINE_METRICS_PORT, else none)',
      port,
    )
    .option(
      '--metrics-host <address>',
      'address of the port for metrics; one that other machines reach needs TLS (default: HATCHET_ENGINE_METRICS_HOST, else 127.0.0.1)',
    )
    .option('--tls-cert <path>', 'serve TLS with this certificate, PEM (default: HATCHET_ENGINE_TLS_CERT)')
    .option('--tls-key <path>', 'its private key, PEM (default: HATCHET_ENGINE_TLS_KEY)')
    .option(
      '--tls-client-ca <path>',
      'mTLS: clients need a certificate of this authority (default: HATCHET_ENGINE_TLS_CLIENT_CA)',
    )
    .addOption(
      new Option(
        '--tls-min-version <version>',
        'oldest version of TLS (default: HATCHET_ENGINE_TLS_MIN_VERSION, else 1.3)',
      ).choices(tlsVersions),
    )
    .option('--no-page', 'do not serve the page that shows runs and queues in a browser')
    .option('--insecure', 'allow plain text on an address that other machines reach (default: HATCHET_ENGINE_INSECURE)')
    .option(
      '--allowed-host <name>',
      'on a loopback address: another name that HTTP requests may be for, such as a proxy’s; may be repeated (default: HATCHET_ENGINE_ALLOWED_HOSTS)',
      names,
    )
    .option(
      '--secret-key-file <path>',
      'file with the key that seals secrets in the database (default: HATCHET_ENGINE_SECRET_KEY_FILE, else HATCHET_ENGINE_SECRET_KEY, else secret.key in the data folder)',
    )
    .option('--compressed-calls', 'let SDKs that compress their gRPC messages go on with it: fewer bytes, more CPU')
    .option('--retention-days <n>', 'days that ended runs are kept', wholeNumber(1, 3650), 30)
    .option('--max-worker-deaths <n>', 'workers that may die under a task before it fails', wholeNumber(1, 100), 3)
    .option('--audit-days <n>', 'days that the audit log is kept', wholeNumber(1, 3650), 365)
    .option('--detach', 'return once it is ready; its log goes to engine.log in the data folder')
    .action((flags: StartFlags) =>
      host.run(async () => (await import('./start-engine.ts')).startEngine(host.context, flags)),
    );
  const stop = new Command('stop')
    .description('stop the engine of a data folder, and the `hatchet dev` that it belongs to; done if there is none')
    .option(...dataDir)
    .action((flags: EngineFlags) =>
      host.run(async () => (await import('./stop-engine.ts')).stopEngine(host.context, flags)),
    );
  const status = new Command('status')
    .description('where the engine of a data folder is; exit code 3 when it is stopped')
    .option(...dataDir)
    .action((flags: EngineFlags) =>
      host.run(async () => (await import('./engine-status.ts')).engineStatus(host.context, flags)),
    );
  examples(withOutput(start), 'hatchet engine start --detach --data-dir ./data --grpc-port 7077');
  examples(withOutput(stop), 'hatchet engine stop --data-dir ./data');
  examples(withOutput(status), 'hatchet engine status -o json');
  return new Command('engine')
    .description('run the engine without a worker')
    .addCommand(start)
    .addCommand(stop)
    .addCommand(status);
}
