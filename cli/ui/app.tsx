import { useInput, useStdout } from 'ink';
import { useEffect, useSyncExternalStore } from 'react';
import type { RunReader } from '../monitor/run-reader.ts';
import { useDurableFeed } from './feeds/use-durable-feed.ts';
import { useFiguresFeed } from './feeds/use-figures-feed.ts';
import { useOverviewFeed } from './feeds/use-overview-feed.ts';
import { useRunFeed } from './feeds/use-run-feed.ts';
import { useRunsFeed } from './feeds/use-runs-feed.ts';
import { mouseOff, mouseOn } from './input/mouse-reader.ts';
import type { Key } from './model/ui-state.ts';
import type { UiStore } from './ui-store.ts';
import { AppView } from './views/app-view.tsx';

const clockMs = 1_000;

/** Joins the model, its feeds, the keyboard and the screen. `connect` is missing until there is an engine. */
export function App({ store, connect }: { store: UiStore; connect: (() => RunReader) | undefined }) {
  const state = useSyncExternalStore(store.subscribe, store.snapshot);
  const { dispatch } = store;
  useRunsFeed(connect, dispatch);
  useOverviewFeed(connect, dispatch);
  useFiguresFeed({ connect, view: state.view, dispatch });
  useRunFeed({ connect, runId: state.run?.runId, revision: state.run?.revision, dispatch });
  const durable = state.run?.detail?.tasks.filter((task) => task.durable).map((task) => task.taskId) ?? [];
  useDurableFeed({ connect, runId: state.run?.runId, taskIds: durable.join(' '), dispatch });
  const { stdout } = useStdout();
  useEffect(() => {
    const resize = (): void => dispatch({ type: 'resize', rows: stdout.rows, columns: stdout.columns });
    stdout.on('resize', resize);
    const clock = setInterval(() => dispatch({ type: 'clock', nowMs: Date.now() }), clockMs);
    return () => {
      stdout.off('resize', resize);
      clearInterval(clock);
    };
  }, [dispatch, stdout]);
  const { isMouseOn } = state;
  useEffect(() => {
    if (!isMouseOn) return;
    stdout.write(mouseOn);
    return () => {
      stdout.write(mouseOff);
    };
  }, [isMouseOn, stdout]);
  useInput((input, key) => {
    for (const each of toKeys(input, key)) dispatch({ type: 'key', key: each });
  });
  return <AppView state={state} />;
}

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

/**
 * Fast typing and pastes come as one text. Control characters in it are keys; line breaks are not: a pasted text of
 * several lines must not trigger at the end of its first.
 */
function toKeys(input: string, key: InkKey): Key[] {
  if (input.length < 2 || key.ctrl || key.meta) return [toKey(input, key)];
  return input.split('').map((character) => {
    const code = character.charCodeAt(0);
    const isControl = code < 32 && character !== '\r' && character !== '\n' && character !== '\t';
    return {
      input: isControl ? String.fromCharCode(code + 96) : character,
      name: undefined,
      ctrl: isControl,
      meta: false,
      shift: false,
    };
  });
}

function toKey(input: string, key: InkKey): Key {
  const named: readonly (readonly [boolean, Key['name']])[] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.leftArrow, 'left'],
    [key.rightArrow, 'right'],
    [key.return, 'enter'],
    [key.escape, 'escape'],
    [key.tab, 'tab'],
    [key.backspace, 'backspace'],
    [key.delete, 'delete'],
    [key.pageUp, 'pageUp'],
    [key.pageDown, 'pageDown'],
    [key.home, 'home'],
    [key.end, 'end'],
  ];
  return { input, name: named.find(([isDown]) => isDown)?.[1], ctrl: key.ctrl, meta: key.meta, shift: key.shift };
}
