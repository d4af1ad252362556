/** Whether `await` would wait for it. @throws what reading its `then` throws */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof Reflect.get(value, 'then') === 'function';
}
