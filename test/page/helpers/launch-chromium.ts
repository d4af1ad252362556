import { chromium, type Browser, type LaunchOptions } from 'playwright-core';
import { packedChromium } from './packed-chromium.ts';

/** Without its sandbox, which root cannot have: the pages are our own. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ ...found(), args: ['--no-sandbox'] });
}

/** By CHROMIUM_PATH, else the packed one; where that is for another machine, the Chrome that is installed. */
function found(): LaunchOptions {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '';
  if (executablePath !== '') return { executablePath };
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' };
  const packed = packedChromium();
  return { executablePath: packed.executablePath, env: { ...process.env, ...packed.env } };
}
