import { useEffect, type RefObject } from 'react';
import { goKeys, noChord, pressed } from '../model/key-chords.ts';
import { navigate } from '../address/navigation.ts';
import { useLatest } from './latest.ts';

/** By key, or by two with a space between, what it does. */
export type KeyHandlers = Readonly<Record<string, (() => void) | undefined>>;

type Layer = RefObject<KeyHandlers>;

/** Of the view and its parts, and of what surrounds every view: the view's go first. */
const layers: Record<'view' | 'page', Layer[]> = { view: [], page: [] };
let chord = noChord;

/** Keys of a part while it is shown; of two parts of a view the one that came later goes first. */
export function useKeys(handlers: KeyHandlers, of: 'view' | 'page' = 'view'): void {
  const layer = useLatest(handlers);
  useEffect(() => {
    const own = layer;
    const list = layers[of];
    list.push(own);
    return () => {
      list.splice(list.indexOf(own), 1);
    };
  }, [of, layer]);
}

/** Listens to the keys of the whole page. */
export function useGlobalKeys(): void {
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target)) {
    if (event.key === 'Escape' && event.target instanceof HTMLElement && !inDialog(event.target)) event.target.blur();
    return;
  }
  // A dialog has keys of its own: it is closed first.
  if (document.querySelector('dialog[open]') !== null) return;
  // Enter and space belong to the button or link that has the focus.
  if ((event.key === 'Enter' || event.key === ' ') && isPressable(event.target)) return;
  const next = pressed(chord, event.key, performance.now());
  chord = next.state;
  if (next.keys === undefined) return;
  if (run(next.keys)) event.preventDefault();
}

function run(keys: string): boolean {
  for (const { current: handlers } of [...layers.view.toReversed(), ...layers.page.toReversed()]) {
    const handler = handlers[keys];
    if (handler === undefined) continue;
    handler();
    return true;
  }
  const go = goKeys[keys];
  if (go === undefined) return false;
  navigate(go.href);
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('a, button, summary, input[type="checkbox"]') !== null;
}

function inDialog(target: HTMLElement): boolean {
  return target.closest('dialog') !== null;
}
