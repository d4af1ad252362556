import type { ReactNode } from 'react';
import { goKeys } from '../model/key-chords.ts';
import { Dialog } from '../parts/dialog.tsx';

const others: readonly (readonly [string, string])[] = [
  ['?', 'This help'],
  ['/', 'Filter or search'],
  ['j, k', 'Next and previous row'],
  ['Enter', 'Open the chosen row'],
  ['Space', 'Mark the chosen row'],
  ['t', 'Trigger a workflow'],
  ['R', 'Replay what is marked, chosen or open'],
  ['x', 'Cancel what is marked, chosen or open'],
  ['y', 'Copy the id'],
  ['Esc', 'Leave a field, close a dialog, go back'],
];

export function HelpDialog({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="keys">
        <dl>
          {others.map(([keys, text]) => (
            <div key={keys}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <dl>
          {Object.entries(goKeys).map(([keys, { name }]) => (
            <div key={keys}>
              <dt>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{name}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  );
}
