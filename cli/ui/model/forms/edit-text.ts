import type { Key, TextField } from '../ui-state.ts';

export function fieldOf(text: string): TextField {
  return { text, cursor: text.length };
}

/** A line of text after a key; the same field when the key means nothing in it. */
export function editText(field: TextField, key: Key): TextField {
  const { text, cursor } = field;
  switch (key.name) {
    case 'left':
      return { text, cursor: Math.max(0, cursor - 1) };
    case 'right':
      return { text, cursor: Math.min(text.length, cursor + 1) };
    case 'home':
      return { text, cursor: 0 };
    case 'end':
      return { text, cursor: text.length };
    // Terminals send the same byte for both keys; the one that people mean is to the left.
    case 'backspace':
    case 'delete':
      return cursor === 0 ? field : { text: text.slice(0, cursor - 1) + text.slice(cursor), cursor: cursor - 1 };
    default:
      break;
  }
  if (key.ctrl && key.input === 'u') return { text: text.slice(cursor), cursor: 0 };
  if (key.ctrl && key.input === 'a') return { text, cursor: 0 };
  if (key.ctrl && key.input === 'e') return { text, cursor: text.length };
  if (key.ctrl || key.meta || key.name !== undefined || key.input === '') return field;
  const typed = key.input.replaceAll(/\p{Cc}+/gu, ' ');
  return { text: text.slice(0, cursor) + typed + text.slice(cursor), cursor: cursor + typed.length };
}
