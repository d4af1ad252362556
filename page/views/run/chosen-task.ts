import type { RunDetail, TaskRow } from '../../../cli/monitor/run-reader.ts';
import { hrefOf } from '../../address/address.ts';
import { navigate, useAddress } from '../../address/navigation.ts';

/** The task that the address names by `?task=`, and how another is chosen. */
export function useChosenTask(detail: RunDetail): {
  task: TaskRow | undefined;
  choose: (name: string | undefined) => void;
} {
  const { path, query } = useAddress();
  const name = query.get('task');
  return {
    task: detail.tasks.find((task) => task.name === name),
    choose: (next) =>
      navigate(hrefOf(path, { ...Object.fromEntries(query), task: next === name ? undefined : next }), {
        replace: true,
      }),
  };
}
