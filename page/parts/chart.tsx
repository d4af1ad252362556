import { useEffect, useRef, useState, type ReactNode } from 'react';
import type uPlot from 'uplot';
import { useLatest } from '../hooks/latest.ts';

export interface ChartSeries {
  name: string;
  /** A custom property of the style, such as `--queued`. */
  color: string;
  /** Colour is not all that tells lines apart. */
  dash?: number[];
}

type Plot = typeof uPlot;

const height = 220;

/** Figures over time. Drawn on a canvas: the newest figures stand beside it for who cannot see it. */
export function Chart({
  label,
  series,
  data,
  seconds,
}: {
  label: string;
  series: readonly ChartSeries[];
  /** Seconds since 1970, then each series. */
  data: [number[], ...(number | null)[][]];
  /** How much time is drawn. */
  seconds: number;
}): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = useLatest(data);
  const [library, setLibrary] = useState<{ Plot: Plot | undefined }>();
  useEffect(() => {
    // Loaded apart: only this view needs it. It reads the browser's language as it begins, and throws at one that is none.
    import('uplot').then(
      (module) => setLibrary({ Plot: module.default }),
      () => setLibrary({ Plot: undefined }),
    );
  }, []);
  const Plot = library?.Plot;
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new Plot(optionsOf(element, series, seconds), newest.current, element);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    // The canvas takes no colours from the style by itself.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    scheme.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [Plot, series, seconds, newest]);
  useEffect(() => plot.current?.setData(data), [data]);
  if (library !== undefined && Plot === undefined) return <p className="muted">The chart cannot be drawn here.</p>;
  return <div ref={box} className="chart" role="img" aria-label={label} />;
}

function optionsOf(element: HTMLElement, series: readonly ChartSeries[], seconds: number): uPlot.Options {
  const color = (name: string): string => colorOf(element, name);
  const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height,
    series: [
      {},
      ...series.map(({ name, color: property, dash }) => ({
        label: name,
        stroke: color(property),
        width: 2,
        points: { show: false },
        ...(dash === undefined ? {} : { dash }),
      })),
    ],
    axes: [axis, { ...axis, size: 56 }],
    scales: {
      // All of the time that is kept, also while only the end of it is known: the library's own end of a single sample is years away.
      x: {
        range: ({ data: [times] }) => {
          const end = times.at(-1) ?? Date.now() / 1_000;
          return [end - seconds, end];
        },
      },
      y: { range: (_, __, max) => [0, Math.max(5, max * 1.1)] },
    },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
  };
}

/** A custom property may be written in ways that a canvas does not take: as the colour of an element it is one that it does. */
function colorOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
