import type { CliContext } from '../cli-context.ts';
import { createOutput } from '../output/create-output.ts';

export interface SecretFlags {
  token?: string;
  secret?: string;
  databaseUrl?: string;
}

/** Warns of secrets that the command line shows to everybody who lists the machine's processes. They are taken all the same. */
export function warnOfVisibleSecrets(context: CliContext, { token, secret, databaseUrl }: SecretFlags): void {
  const ways: string[] = [];
  if (token !== undefined && token !== '-')
    ways.push('--token shows the token; use --token-file, --token - or HATCHET_CLIENT_TOKEN');
  if (secret !== undefined) ways.push('--secret shows the secret; use --secret-env or --secret-file');
  if (hasPassword(databaseUrl)) ways.push('--database-url shows the password of the database; use DATABASE_URL');
  for (const way of ways)
    createOutput('text', context).warn(`others on this machine see the list of processes, where ${way}`);
}

function hasPassword(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).password !== '';
}
