/** A span of time, and how wide each point is in which what happened in it is counted. Points are numbered from 0. */
export interface Window {
  fromMs: number;
  /** The first moment that is not counted any more. */
  untilMs: number;
  widthMs: number;
}
