import { MouseReader, type Input, type MouseReport } from './mouse-reader.ts';

/** A lone Escape byte is the key once nothing has come after it for so long. */
const escapeMs = 10;

/** A terminal's input as Ink reads it, without what the mouse does: that goes to `onMouse`, in its order among the keys. */
export function keyInput(stdin: NodeJS.ReadStream, onMouse: (report: MouseReport) => void): NodeJS.ReadStream {
  const reader = new MouseReader();
  const waiting: Input[] = [];
  let timer: NodeJS.Timeout | undefined;
  const read = (): string | null => {
    for (;;) {
      const next = waiting.shift();
      if (typeof next === 'string') return next;
      if (next !== undefined) {
        onMouse(next);
        continue;
      }
      const chunk: unknown = stdin.read();
      if (typeof chunk !== 'string') return null; // Ink has set an encoding
      clearTimeout(timer);
      waiting.push(...reader.push(chunk));
      if (reader.mayBeKey) timer = setTimeout(release, escapeMs);
    }
  };
  const release = (): void => {
    waiting.push(reader.release());
    stdin.emit('readable');
  };
  // A stream of its own could not set the terminal's raw mode.
  return new Proxy(stdin, {
    get(target, name): unknown {
      if (name === 'read') return read;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value;
    },
  });
}
