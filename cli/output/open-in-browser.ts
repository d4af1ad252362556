import { spawn } from 'node:child_process';
import type { CliContext } from '../cli-context.ts';

/** A program that opens an address and is still running then has not failed. */
const patienceMs = 2_000;

/**
 * Opens an address in the user's browser, as far as can be told. By the system's own program, which each desktop has: packages that
 * do this bring a dozen others, mostly for the way out of containers and WSL.
 */
export function openInBrowser(url: string, { env }: Pick<CliContext, 'env'>): Promise<boolean> {
  const opener = openerOf(process.platform, env);
  if (opener === undefined) return Promise.resolve(false);
  const [command, ...args] = opener;
  return new Promise((resolve) => {
    const child = spawn(command, [...args, url], { detached: true, stdio: 'ignore', windowsHide: true, env });
    const timer = setTimeout(() => resolve(true), patienceMs);
    const settle = (isOpen: boolean): void => {
      clearTimeout(timer);
      resolve(isOpen);
    };
    child.once('error', () => settle(false));
    child.once('exit', (code) => settle(code === 0));
    child.unref();
  });
}

/** Undefined where there is no screen that a window could be on, as over SSH. */
function openerOf(platform: NodeJS.Platform, env: CliContext['env']): readonly [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open'];
  // Unlike `start` of cmd it reads nothing into the address.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  const hasScreen = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((name) => name !== undefined && name !== '');
  return hasScreen ? ['xdg-open'] : undefined;
}
