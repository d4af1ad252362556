import type { SigningKeyInfo } from '../../../engine/index.ts';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import {
  withAdministeredDatabase,
  withAdministration,
  type AdministrationFlags,
} from '../../database/with-administration.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { Table } from '../../output/table.ts';

export interface KeysFlags extends AdministrationFlags, OutputFlag {}

export interface AgreedFlags extends KeysFlags {
  yes?: true;
}

const table: Table<SigningKeyInfo> = {
  columns: [
    { title: 'KEY', cell: (key) => key.id },
    { title: 'STATE', cell: (key) => (key.signs ? 'signs' : key.retiredAt === null ? 'good' : 'retired') },
    { title: 'TOKENS', cell: (key) => (key.retiredAt === null ? String(key.tokens) : ''), align: 'right' },
    { title: 'CREATED', cell: (key) => key.createdAt.toISOString() },
    { title: 'RETIRED', cell: (key) => key.retiredAt?.toISOString() ?? '' },
  ],
  empty: 'No keys. The first engine makes one.',
};

export function rotateKey(context: CliContext, flags: KeysFlags): Promise<ExitCode> {
  return withAdministration(context, flags, async (administration) => {
    const id = await administration.rotateKey();
    const output = outputOf(context, flags);
    output.value({ key: id }, () => id);
    output.note('It signs new tokens. Those of older keys stay good until `hatchet keys retire`.');
    return ExitCode.done;
  });
}

export function listKeys(context: CliContext, flags: KeysFlags): Promise<ExitCode> {
  return withAdministration(context, flags, async (administration) => {
    outputOf(context, flags).list({ rows: await administration.listKeys(), next: null }, table);
    return ExitCode.done;
  });
}

export function retireKey(context: CliContext, id: string, flags: AgreedFlags): Promise<ExitCode> {
  return withAdministration(context, flags, async (administration) => {
    const key = (await administration.listKeys()).find((each) => each.id === id);
    if (key === undefined)
      throw new CliError(`there is no signing key ${id}`, {
        exitCode: ExitCode.unknown,
        remedy: 'Find it with `hatchet keys list`.',
      });
    if (key.signs) throw wrongUse(`${id} signs new tokens`, 'Make another with `hatchet keys rotate` first.');
    if (key.retiredAt === null && key.tokens > 0)
      await agree(
        context,
        flags,
        `${key.tokens} good ${key.tokens === 1 ? 'token ends' : 'tokens end'} with the key ${id}`,
      );
    await administration.retireKey(id);
    outputOf(context, flags).value({ retired: id, tokens: key.tokens }, () => `Retired ${id}.`);
    return ExitCode.done;
  });
}

export function resetKeys(context: CliContext, flags: AgreedFlags): Promise<ExitCode> {
  return withAdministeredDatabase(context, flags, async ({ url, engine }, source) => {
    if (engine !== undefined)
      throw new CliError(`the engine runs (pid ${engine.pid}), and so it has its key`, {
        remedy: 'Stop it first with `hatchet engine stop`.',
      });
    await agree(context, flags, 'the signing keys and webhooks that a lost key sealed are deleted, and all tokens end');
    const { resetSecrets } = await import('../../../engine/index.ts');
    const lost = await resetSecrets(url, source);
    outputOf(context, flags).value(
      lost,
      () =>
        `Deleted ${lost.signingKeys} signing keys and ${lost.webhooks} webhooks. Start the engine, and make tokens and webhooks anew.`,
    );
    return ExitCode.done;
  });
}

/** @throws CliError with exit code 2 without a terminal to ask on */
async function agree(context: CliContext, flags: AgreedFlags, what: string): Promise<void> {
  if (flags.yes === true) return;
  if (!isInteractive(context)) throw wrongUse(what, 'Add --yes if that is meant.');
  const prompts = await import('@clack/prompts');
  if ((await prompts.confirm({ message: `${what}. Go on?`, initialValue: false })) !== true)
    throw new CliError('nothing was changed', { exitCode: ExitCode.interrupted });
}
