import { makePageLink } from '../../admin/page-link.ts';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { openInBrowser } from '../../output/open-in-browser.ts';

export interface PageFlags extends ConnectionFlags, OutputFlag {
  open: boolean;
}

/** @throws ServerError, NotOffered */
export async function openPage(context: CliContext, flags: PageFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const link = await makePageLink(resolveConnection(context, flags));
  output.value(link, () => link.url);
  if (!flags.open || !isInteractive(context)) return ExitCode.done;
  const isOpen = await openInBrowser(link.url, context);
  output.note(
    isOpen
      ? 'It is open in your browser.'
      : 'No browser could be opened from here: open the link yourself, within a minute.',
  );
  return ExitCode.done;
}
