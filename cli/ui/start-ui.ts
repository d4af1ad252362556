import type { CliContext } from '../cli-context.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { mouseOff } from './input/mouse-reader.ts';
import { initialState } from './model/ui-state.ts';
import { UiStore } from './ui-store.ts';

export interface Ui {
  store: UiStore;
  /** From now on there is an engine to read. */
  connect(connect: () => RunReader): void;
  /** As Ctrl+Z does where the terminal is not raw: the process stops until it is continued, and then draws again. */
  suspend(): void;
  /** Leaves the screen as it was found. Idempotent. */
  stop(): void;
}

const enterScreen = '\u001b[?1049h\u001b[H';
// Own screen off, cursor on, mouse and bracketed paste off: whatever was on when it ended.
const leaveScreen = `\u001b[?1049l\u001b[?25h\u001b[?2004l${mouseOff}`;

/** A process that runs on for so long after it was told to stop has not stopped. */
const notStoppedMs = 300;

/** Draws the terminal UI on its own screen. @param options.isDev with the state of a `hatchet dev` */
export async function startUi(
  context: Pick<CliContext, 'stdin' | 'stdout' | 'env'>,
  options: { isDev: boolean },
): Promise<Ui> {
  const { stdin, stdout, env } = context;
  // React has to be told before it is loaded: its development build is several times slower. Workers get the environment
  // that was copied when the process began.
  process.env['NODE_ENV'] = 'production';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') process.env['FORCE_COLOR'] = '0';
  const { openScreen } = await import('./screen.tsx');
  const store = new UiStore(
    initialState({ rows: stdout.rows, columns: stdout.columns }, { ...options, nowMs: Date.now() }),
  );
  let isOpen = true;
  let isStopped = false;
  const restore = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdout.write(leaveScreen);
  };
  process.once('exit', restore); // also after a crash
  stdout.write(enterScreen);
  let screen = openScreen(store, { stdin, stdout });
  let connected: (() => RunReader) | undefined;
  const resume = (): void => {
    if (isOpen || isStopped) return;
    isOpen = true;
    stdout.write(enterScreen);
    screen = openScreen(store, { stdin, stdout });
    if (connected !== undefined) screen.connect(connected);
    store.dispatch({ type: 'resize', rows: stdout.rows, columns: stdout.columns });
  };
  return {
    store,
    connect(connect) {
      connected = connect;
      screen.connect(connect);
    },
    suspend() {
      if (!isOpen || process.platform === 'win32') return;
      screen.unmount();
      restore();
      process.once('SIGCONT', resume);
      process.kill(0, 'SIGTSTP'); // all of the group, as the terminal does: npx waits in it
      setTimeout(resume, notStoppedMs); // nobody can continue it, so that it was not stopped: no shell has started it
    },
    stop() {
      isStopped = true;
      process.off('SIGCONT', resume);
      store.stop();
      screen.unmount();
      restore();
      process.off('exit', restore);
    },
  };
}
