import { patient } from './patient.ts';

/** What comes in time; else an error that says what has not come, where a test would only have run out of its time. */
export async function within<T>(coming: Promise<T>, missing: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${patient.timeout / 1000} s: ${missing()}`)), patient.timeout);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}
