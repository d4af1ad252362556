import type { CliContext } from '../cli-context.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { initialState } from './model/ui-state.ts';
import { UiStore } from './ui-store.ts';

export interface Ui {
  store: UiStore;
  /** From now on there is an engine to read. */
  connect(connect: () => RunReader): void;
  /** Leaves the screen as it was found. Idempotent. */
  stop(): void;
}

const enterScreen = '\u001b[?1049h\u001b[H';
// Own screen off, cursor on, mouse and bracketed paste off: whatever was on when it ended.
const leaveScreen = '\u001b[?1049l\u001b[?25h\u001b[?2004l';

/** Draws the terminal UI on its own screen. @param options.isDev with the state of a `hatchet dev` */
export async function startUi(context: Pick<CliContext, 'stdin' | 'stdout' | 'env'>, options: { isDev: boolean }): Promise<Ui> {
  const { stdin, stdout, env } = context;
  // React has to be told before it is loaded: its development build is several times slower. Workers get the environment
  // that was copied when the process began.
  process.env['NODE_ENV'] = 'production';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') process.env['FORCE_COLOR'] = '0';
  const { openScreen } = await import('./screen.tsx');
  const store = new UiStore(initialState({ rows: stdout.rows, columns: stdout.columns }, { ...options, nowMs: Date.now() }));
  let isOpen = true;
  const restore = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdout.write(leaveScreen);
  };
  process.once('exit', restore); // also after a crash
  stdout.write(enterScreen);
  const screen = openScreen(store, { stdin, stdout });
  return {
    store,
    connect: (connect) => screen.connect(connect),
    stop() {
      store.stop();
      screen.unmount();
      restore();
      process.off('exit', restore);
    },
  };
}
