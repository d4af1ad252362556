import { partsPanels, type Curve } from './curve.ts';

export const dagWidth: Curve = {
  name: 'dag-width',
  title: 'Width of a DAG',
  xTitle: 'tasks beside each other, between one before and one after them',
  measure: (context) =>
    partsPanels(
      context,
      [1, 3, 10, 30, 100],
      (width) => ({ flow: 'dag', steps: [1, width, 1] }),
      (width) => width + 2,
      { one: 'task', many: 'tasks' },
    ),
};
