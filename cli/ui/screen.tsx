import { render } from 'ink';
import type { RunReader } from '../monitor/run-reader.ts';
import { App } from './app.tsx';
import { keyInput } from './input/key-input.ts';
import type { UiStore } from './ui-store.ts';

export interface Screen {
  connect(connect: () => RunReader): void;
  unmount(): void;
}

/** A held key repeats at 30 a second or more, and each step should be seen. Ink's incremental rendering was no faster, and left lines stale for seconds. */
const maxFps = 60;

/** Mounts the app on a terminal. Loading this module loads React: NODE_ENV has to be set before. */
export function openScreen(store: UiStore, streams: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream }): Screen {
  const stdin = keyInput(streams.stdin, (report) => store.dispatch({ type: 'mouse', report }));
  const mounted = render(<App store={store} connect={undefined} />, {
    ...streams,
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps,
  });
  return {
    connect: (connect) => mounted.rerender(<App store={store} connect={connect} />),
    unmount: () => mounted.unmount(),
  };
}
