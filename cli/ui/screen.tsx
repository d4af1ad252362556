import { render } from 'ink';
import type { RunReader } from '../monitor/run-reader.ts';
import { App } from './app.tsx';
import type { UiStore } from './ui-store.ts';

export interface Screen {
  connect(connect: () => RunReader): void;
  unmount(): void;
}

/** Mounts the app on a terminal. Loading this module loads React: NODE_ENV has to be set before. */
export function openScreen(store: UiStore, streams: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream }): Screen {
  const mounted = render(<App store={store} connect={undefined} />, { ...streams, exitOnCtrlC: false, patchConsole: false });
  return {
    connect: (connect) => mounted.rerender(<App store={store} connect={connect} />),
    unmount: () => mounted.unmount(),
  };
}
