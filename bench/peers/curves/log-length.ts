import { partsPanels, type Curve } from './curve.ts';

export const logLength: Curve = {
  name: 'log-length',
  title: 'Length of a durable log',
  xTitle: 'memos of a durable task, each stored before the next begins',
  measure: (context) =>
    partsPanels(
      context,
      [1, 3, 10, 30, 100, 300, 1_000],
      (memos) => ({ flow: 'durable', steps: Array.from({ length: memos }, () => 1) }),
      (memos) => memos,
      { one: 'memo', many: 'memos' },
    ),
};
