import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { packageRoot } from '../../helpers/engine-process.ts';

/** A Chromium without a window, and what its process needs in its environment. */
export interface PackedChromium {
  executablePath: string;
  env: Record<string, string>;
}

const files = createRequire(import.meta.url).resolve('@sparticuz/chromium');
const packed = join(dirname(files), '..', '..', 'bin');

/**
 * The Chromium that an npm package has in it, with the libraries and the fonts that a bare Debian lacks; unpacked once (190 MB, 5 s).
 * Not by the package's own code: that unpacks into the folder for temporary files that all users share, by names that are known, and
 * takes what is there already, whoever has put it there and of whatever version.
 */
export function packedChromium(): PackedChromium {
  const { version }: { version: string } = JSON.parse(readFileSync(join(packed, '..', 'package.json'), 'utf8'));
  const cache = join(packageRoot, 'node_modules', '.cache');
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const fresh = mkdtempSync(join(cache, 'chromium-'));
    try {
      unpack(fresh, folder);
      renameSync(fresh, folder);
    } catch (error) {
      // Another process may have been quicker.
      if (!existsSync(folder)) throw error;
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  };
}

/** @param place where it will be */
function unpack(folder: string, place: string): void {
  writeFileSync(join(folder, 'chromium'), decompressed('chromium.br'), { mode: 0o755 });
  for (const archive of ['al2023.tar.br', 'fonts.tar.br'])
    execFileSync('tar', ['-xf', '-', '-C', folder], { input: decompressed(archive) });
  // The same fonts everywhere: what a line holds does not depend on the machine.
  writeFileSync(
    join(folder, 'fonts.conf'),
    `<?xml version="1.0"?><fontconfig><dir>${join(place, 'fonts')}</dir><cachedir>${join(place, 'font-cache')}</cachedir></fontconfig>`,
  );
}

function decompressed(name: string): Buffer {
  return brotliDecompressSync(readFileSync(join(packed, name)));
}
