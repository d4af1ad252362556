import { partsPanels, type Curve } from './curve.ts';

export const dagDepth: Curve = {
  name: 'dag-depth',
  title: 'Depth of a DAG',
  xTitle: 'tasks one after the other',
  measure: (context) =>
    partsPanels(
      context,
      [1, 3, 10, 30, 100],
      (depth) => ({ flow: 'dag', steps: Array.from({ length: depth }, () => 1) }),
      (depth) => depth,
      { one: 'task', many: 'tasks' },
    ),
};
