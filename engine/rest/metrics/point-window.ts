import type { Context } from 'hono';
import { invalid } from '../../edge/parse/invalid.ts';
import type { Window } from '../../monitor/points/window.ts';
import type { RestEnv } from '../deps.ts';
import { isoMs } from '../message-fields.ts';
import { dateQuery } from '../request-values.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A point is drawn for each width: as wide as Hatchet's own, so that its pages draw the same. The most points are those of 12 hours: 145. */
const widths = [
  { belowMs: 61 * minuteMs, widthMs: minuteMs },
  { belowMs: 12 * hourMs, widthMs: 5 * minuteMs },
  { belowMs: 48 * hourMs, widthMs: 30 * minuteMs },
];
const widestMs = 8 * hourMs;
/** All rows of the window are read and counted: of a longer one that takes too long. */
const longestMs = 8 * dayMs;
const usualMs = dayMs;

/**
 * The window that a query asks for, from the beginning of its first point on; without bounds, the last 24 hours.
 * @param names of the bounds in the query
 * @throws HatchetError INVALID_ARGUMENT for one that ends before it begins, and for one of more than 8 days
 */
export function pointWindow(
  request: Context<RestEnv>['req'],
  nowMs: number,
  names: { from: string; until: string },
): Window {
  const { fromMs, untilMs } = boundedWindow(request, nowMs, names);
  const lengthMs = untilMs - fromMs;
  const widthMs = widths.find(({ belowMs }) => lengthMs < belowMs)?.widthMs ?? widestMs;
  return { fromMs: fromMs - (fromMs % widthMs), untilMs, widthMs };
}

/** The same without points. @throws HatchetError INVALID_ARGUMENT */
export function boundedWindow(
  request: Context<RestEnv>['req'],
  nowMs: number,
  names: { from: string; until: string },
): { fromMs: number; untilMs: number } {
  const untilMs = dateQuery(request, names.until)?.getTime() ?? Math.floor(nowMs);
  const fromMs = dateQuery(request, names.from)?.getTime() ?? Math.max(0, untilMs - usualMs);
  if (fromMs > untilMs)
    throw invalid(
      `${names.from} is ${isoMs(fromMs)}, after ${names.until}, which is ${isoMs(untilMs)}`,
      'Give a window that begins before it ends.',
    );
  if (untilMs - fromMs > longestMs)
    throw invalid(
      `${names.from} is ${isoMs(fromMs)}, more than 8 days before ${names.until}, which is ${isoMs(untilMs)}`,
      'Ask for 8 days at most at a time.',
    );
  return { fromMs, untilMs };
}

/** All points of a window: those in which nothing was counted too. */
export function allPoints<T>(
  { fromMs, untilMs, widthMs }: Window,
  counted: ReadonlyMap<number, T>,
  none: T,
): ({ time: string } & T)[] {
  const points: ({ time: string } & T)[] = [];
  for (let place = 0; fromMs + place * widthMs <= untilMs; place++)
    points.push({ time: isoMs(fromMs + place * widthMs), ...(counted.get(place) ?? none) });
  return points;
}
