import { Command } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import type { DoctorFlags } from './doctor.ts';

export function doctorCommand(host: CommandHost): Command {
  const command = new Command('doctor')
    .description(
      'check Node, ports, data folder, engine, schema, unfinished work, token and clock; exit code 1 when something is wrong',
    )
    .action((flags: DoctorFlags) => host.run(async () => (await import('./doctor.ts')).doctor(host.context, flags)));
  return examples(withOutput(withConnection(command)), 'hatchet doctor');
}
