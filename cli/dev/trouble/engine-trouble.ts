import { isRecord } from '../../project/json-value.ts';

/** What goes wrong with the engine while it runs, for a banner. */
export interface EngineTrouble {
  text: string;
  remedy: string;
}

/** By the codes of the engine's log: a trouble, its end, or neither. */
export function engineTrouble(
  line: string,
  options: { isEmbedded: boolean; dataDir: string },
): EngineTrouble | 'over' | undefined {
  switch (codeOf(line)) {
    case 'POSTGRES_LOST':
      return options.isEmbedded
        ? {
            text: 'Postgres is gone; the engine starts it again',
            remedy: `What was acknowledged is stored. If it stays away, read ${options.dataDir}/postgres.log.`,
          }
        : {
            text: 'Postgres cannot be reached; the engine tries on',
            remedy:
              'What was acknowledged is stored. Check that the server of --database-url or DATABASE_URL runs and takes connections.',
          };
    case 'DISK_FULL':
      return {
        text: 'the disk of Postgres is full: nothing can be stored',
        remedy: `Free some space${options.isEmbedded ? ` on the disk of ${options.dataDir}` : ' on the database server'}; it goes on by itself then, and nothing acknowledged is lost.`,
      };
    case 'POSTGRES_BACK':
      return 'over';
    default:
      return undefined;
  }
}

function codeOf(line: string): unknown {
  if (!line.includes('"code":"')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return isRecord(entry) ? entry['code'] : undefined;
  } catch {
    return undefined;
  }
}
